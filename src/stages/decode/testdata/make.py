#!/usr/bin/env python3
"""Makes the small pictures of this folder and what they must decode to (*.ppm), by other people's encoders.

Needs python3-pil, python3-numpy, python3-pydicom, ffmpeg and, for picture.heic, libvips with its headers.
The expected samples come from the arrays below or from Pillow, never from the code under test.
"""
import os
import struct
import subprocess
import tempfile
import zlib

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEG2000Lossless,
                         JPEGBaseline8Bit, RLELossless)

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W, H = 24, 16
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 10, y * 15, 255 - x * 5 - y * 5], -1).astype(np.uint8)
rgb[4:9, 6:12] = (250, 30, 60)
gray = (x * 7 + y * 5).astype(np.uint8)
alpha = (255 - x * 9).astype(np.uint8)
wide = (x * 2000 + y * 900).astype(np.uint16)


def expect(name, array):
    array = np.asarray(array)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, -1)
    height, width = array.shape[:2]
    with open(name + ".ppm", "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (width, height) + array.astype(np.uint8).tobytes())


def byte(wide_samples):
    return np.floor(wide_samples.astype(np.float64) / 257 + 0.5)


def over_black(color, opacity):
    opacity = opacity[..., None] if color.ndim == 3 else opacity
    return np.floor(color.astype(np.float64) * opacity / 255 + 0.5)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(name, depth, color, passes, extra=b"", interlaced=0):
    """`passes`: two-dimensional arrays of bytes, one row of the file each, without filter bytes."""
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part)
    with open(name, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, color, 0, 0, interlaced)) +
                   extra + png_chunk(b"IDAT", zlib.compress(rows, 9)) + png_chunk(b"IEND", b""))


def pngs():
    Image.fromarray(rgb).save("rgb.png")
    Image.fromarray(gray).save("gray.png")
    Image.fromarray(np.dstack([rgb, alpha])).save("rgba.png")
    Image.fromarray(np.dstack([gray, alpha])).save("gray_alpha.png")
    Image.fromarray((gray > 128)).save("bilevel.png")
    Image.fromarray(wide).save("gray16.png")
    wide_rgb = np.stack([wide, wide[::-1], wide[:, ::-1]], -1)
    write_png("rgb16.png", 16, 2, [wide_rgb.astype(">u2").reshape(H, -1).view(np.uint8)])
    wide_rgba = np.dstack([wide_rgb, alpha.astype(np.uint16) * 257])
    write_png("rgba16.png", 16, 6, [wide_rgba.astype(">u2").reshape(H, -1).view(np.uint8)])
    adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    write_png("interlaced.png", 8, 2, [rgb[r::dr, c::dc].reshape(-1, len(range(c, W, dc)) * 3) for r, c, dr, dc in adam7],
              interlaced=1)
    palette = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 200, 100]], np.uint8)
    index = ((x // 3 + y // 2) % 4).astype(np.uint8)
    packed = (index[:, 0::4] << 6 | index[:, 1::4] << 4 | index[:, 2::4] << 2 | index[:, 3::4]).astype(np.uint8)
    write_png("palette.png", 2, 3, [packed], png_chunk(b"PLTE", palette.tobytes()))
    write_png("palette_alpha.png", 2, 3, [packed],
              png_chunk(b"PLTE", palette.tobytes()) + png_chunk(b"tRNS", bytes([255, 128, 0])))
    orientation = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    write_png("exif6.png", 8, 2, [rgb.reshape(H, -1)], png_chunk(b"eXIf", orientation))
    expect("rgb", rgb)
    expect("gray", gray)
    expect("rgb_alpha", over_black(rgb, alpha))
    expect("gray_alpha", over_black(gray, alpha))
    expect("bilevel", (gray > 128) * 255)
    expect("gray16", byte(wide))
    expect("rgb16", byte(wide_rgb))
    expect("rgb16_alpha", np.floor(wide_rgb / 257 * alpha[..., None] / 255 + 0.5))
    expect("palette", palette[index])
    expect("palette_alpha", over_black(palette[index], np.array([255, 128, 0, 255])[index]))
    expect("rgb_turned", np.rot90(rgb, -1))


def webps():
    Image.fromarray(rgb).save("lossless.webp", lossless=True)
    Image.fromarray(rgb).save("lossy.webp", quality=95)
    expect("lossy", np.asarray(Image.open("lossy.webp").convert("RGB")))
    Image.fromarray(np.dstack([rgb, alpha])).save("alpha.webp", lossless=True, exact=True)
    frames = [Image.fromarray(np.roll(rgb, 5 * i, 1)) for i in range(3)]
    frames[0].save("animation.webp", save_all=True, append_images=frames[1:], lossless=True, duration=100)
    frames[0].save("animation.gif", save_all=True, append_images=frames[1:], duration=100)
    animation = Image.open("animation.gif")
    for i in range(3):
        animation.seek(i)
        expect("gif%d" % i, np.asarray(animation.convert("RGB")))
    expect("rgb_rolled", np.roll(rgb, 10, 1))


def write_tiff(name, entries, data, order="<"):
    """One page; `entries`: tag -> list of 32-bit values or bytes; tag 324/273 (offsets) is filled with the data's place."""
    head = (b"II*\0" if order == "<" else b"MM\0*")
    fixed = 8 + 2 + 12 * len(entries) + 4
    extra, body = b"", b""
    for tag, values in sorted(entries.items()):
        if tag in (273, 324):
            values = [fixed + 256 + v for v in values]
        if len(values) == 1:
            body += struct.pack(order + "HHII", tag, 4, 1, values[0])
        else:
            body += struct.pack(order + "HHII", tag, 4, len(values), fixed + len(extra))
            extra += struct.pack(order + "%dI" % len(values), *values)
    directory = struct.pack(order + "H", len(entries)) + body + struct.pack(order + "I", 0)
    with open(name, "wb") as file:
        file.write(head + struct.pack(order + "I", 8) + directory + extra.ljust(256, b"\0") + data)


def tiffs():
    pages = [Image.fromarray(rgb), Image.fromarray(gray).resize((10, 20)), Image.fromarray(rgb[:8, :12])]
    pages[0].save("pages.tif", save_all=True, append_images=pages[1:])
    expect("page1", np.asarray(pages[1]))
    expect("page2", rgb[:8, :12])
    Image.fromarray(rgb).save("lzw.tif", compression="tiff_lzw")
    Image.fromarray(rgb).save("deflate.tif", compression="tiff_adobe_deflate")
    Image.fromarray(gray > 128).save("group4.tif", compression="group4")
    Image.fromarray(wide).save("gray16.tif")
    Image.fromarray(rgb).save("turned.tif", tiffinfo={274: 6})
    cmyk = np.dstack([rgb, gray // 2])
    Image.fromarray(cmyk, "CMYK").save("cmyk.tif")
    expect("cmyk", (255 - cmyk[..., :3].astype(float)) * (255 - cmyk[..., 3:]) / 255 + 0.5)
    values = (x / 31 + y / 80).astype(np.float32)
    Image.fromarray(values, "F").save("float.tif")
    expect("float", np.floor(values.astype(float) * 255 + 0.5))
    tiles = np.zeros((16, 32, 3), np.uint8)
    tiles[:H, :W] = rgb
    write_tiff("tiled.tif", {256: [W], 257: [H], 258: [8, 8, 8], 259: [1], 262: [2], 277: [3], 284: [1], 322: [16], 323: [16],
                             324: [0, 768], 325: [768, 768]}, tiles[:, :16].tobytes() + tiles[:, 16:].tobytes())
    big = wide.astype(">u2").tobytes()
    write_tiff("big_endian.tif", {256: [W], 257: [H], 258: [16], 259: [1], 262: [1], 273: [0], 277: [1], 278: [H],
                                  279: [len(big)]}, big, ">")


def write_bmp(name, bits, compression, palette, pixels, masks=b"", height=H):
    offset = 54 + len(masks) + len(palette)
    with open(name, "wb") as file:
        file.write(b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) +
                   struct.pack("<IiiHHIIiiII", 40, W, height, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0) +
                   masks + palette + pixels)


def bmps():
    Image.fromarray(rgb).save("rgb.bmp")
    Image.fromarray(gray).save("gray.bmp")
    Image.fromarray(gray > 128).save("bilevel.bmp")
    write_bmp("top_down.bmp", 32, 0, b"", np.dstack([rgb[..., ::-1], alpha]).tobytes(), height=-H)
    r, g, b = (rgb[..., c].astype(np.uint32) for c in range(3))
    packed = ((r >> 3) << 11 | (g >> 2) << 5 | b >> 3).astype("<u2")
    write_bmp("rgb565.bmp", 16, 3, b"", packed[::-1].tobytes(), struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    expect("rgb565", np.dstack([(r >> 3) * 255 / 31 + 0.5, (g >> 2) * 255 / 63 + 0.5, (b >> 3) * 255 / 31 + 0.5]))
    palette = bytes([10, 20, 30, 0, 40, 50, 60, 0, 200, 100, 0, 0, 255, 255, 255, 0])
    index = ((x // 5 + y // 3) % 4).astype(np.uint8)
    runs = b""
    for row in index[::-1]:
        at = 0
        while at < W:
            end = at
            while end < W and row[end] == row[at]:
                end += 1
            runs += bytes([end - at, row[at]])
            at = end
        runs += b"\0\0"
    write_bmp("rle8.bmp", 8, 1, palette, runs + b"\0\1")
    colors = np.array([[30, 20, 10], [60, 50, 40], [0, 100, 200], [255, 255, 255]], np.uint8)
    expect("rle8", colors[index])
    Image.fromarray(np.dstack([rgb, alpha])).resize((16, 16), Image.NEAREST).save("icon.ico", sizes=[(16, 16)], bitmap_format="bmp")
    small = np.asarray(Image.fromarray(np.dstack([rgb, alpha])).resize((16, 16), Image.NEAREST))
    expect("icon", over_black(small[..., :3], small[..., 3]))


def ffmpeg(name, *options):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", "rgb.png", *options, name], check=True)


def modern():
    Image.fromarray(rgb).save("lossless.jp2", irreversible=False)
    Image.fromarray(rgb).save("lossless.j2k", irreversible=False, num_resolutions=3)
    Image.fromarray(wide).save("gray16.jp2", irreversible=False)
    ffmpeg("lossless.jxl", "-c:v", "libjxl", "-distance", "0")
    ffmpeg("picture.avif", "-vf", "scale=out_range=full:out_color_matrix=bt709", "-pix_fmt", "yuv444p", "-color_range", "pc",
           "-colorspace", "bt709", "-c:v", "libaom-av1", "-still-picture", "1", "-crf", "4")
    with tempfile.TemporaryDirectory() as folder:  # libheif through libvips, as an encoder only
        source = os.path.join(folder, "heic.c")
        with open(source, "w") as file:
            file.write('#include <vips/vips.h>\nint main(void) { VipsImage* i; VIPS_INIT("x");'
                       'i = vips_image_new_from_file("rgb.png", NULL);'
                       'return vips_heifsave(i, "picture.heic", "Q", 98, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF, NULL); }')
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "vips"], capture_output=True, text=True).stdout.split()
        subprocess.run(["cc", source, "-o", source + ".out", *flags], check=True)
        subprocess.run([source + ".out"], check=True)


def huge():
    """Headers that promise a gigapixel or more, with next to nothing behind them."""
    with open("huge.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)) +
                   png_chunk(b"IDAT", zlib.compress(b"\0" * 100)) + png_chunk(b"IEND", b""))
    with open("short.png", "wb") as file:  # within the limits, but no deflate stream of this length fills it
        file.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 14000, 14000, 8, 2, 0, 0, 0)) +
                   png_chunk(b"IDAT", zlib.compress(b"\0" * 100)) + png_chunk(b"IEND", b""))
    write_tiff("huge.tif", {256: [40000], 257: [40000], 258: [8], 259: [1], 262: [1], 273: [0], 277: [1], 278: [40000],
                            279: [100]}, b"\0" * 100)


def dicom(name, pixels, photometric, syntax=ExplicitVRLittleEndian, preamble=True, encoded=None, **tags):
    meta = Dataset()
    meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    meta.TransferSyntaxUID = syntax
    ds = FileDataset(name, {}, file_meta=meta if preamble else None, preamble=b"\0" * 128 if preamble else None)
    ds.is_little_endian, ds.is_implicit_VR = True, not preamble
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = meta.MediaStorageSOPClassUID, "1.2.3.4", "OT"
    frames = pixels if pixels.ndim == 4 or (pixels.ndim == 3 and pixels.shape[-1] != 3) else pixels[None]
    ds.Rows, ds.Columns = frames.shape[1:3]
    ds.NumberOfFrames = len(frames)
    ds.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    if frames.ndim == 4:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = photometric
    ds.BitsAllocated = ds.BitsStored = frames.dtype.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = 1 if frames.dtype.kind == "i" else 0
    for key, value in tags.items():
        setattr(ds, key, value)
    if encoded is not None:
        ds.PixelData = encapsulate(encoded)
        ds["PixelData"].is_undefined_length = True
    else:
        ds.PixelData = frames.tobytes()
        ds["PixelData"].VR = "OW"
    if syntax == RLELossless:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.compress(RLELossless, frames)
    pydicom.dcmwrite(name, ds, write_like_original=not preamble)


def encode(image, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, options.pop("name"))
        image.save(path, **options)
        with open(path, "rb") as file:
            return file.read()


def dicoms():
    # Two frames of signed samples, rescaled, through a window: PS3.3 C.11.2.1.2.1.
    hounsfield = np.stack([x * 60 - 700 + y * 20, 700 - x * 60 - y * 10]).astype(np.int16)
    dicom("window.dcm", hounsfield, "MONOCHROME2", WindowCenter=40, WindowWidth=400, RescaleSlope=1, RescaleIntercept=-24)
    for i, frame in enumerate(hounsfield):
        value = frame.astype(float) - 24
        expect("window%d" % i, np.clip(((value - 39.5) / 399 + 0.5) * 255, 0, 255) + 0.5)
    dicom("inverted.dcm", gray, "MONOCHROME1")
    spread = (gray.astype(float) - gray.min()) / (int(gray.max()) - int(gray.min())) * 255
    expect("inverted", 255 - spread + 0.5)
    expect("spread", spread + 0.5)
    dicom("rgb.dcm", rgb, "RGB")
    dicom("bare.dcm", rgb, "RGB", preamble=False)
    dicom("deflated.dcm", rgb, "RGB", DeflatedExplicitVRLittleEndian)
    dicom("rle.dcm", rgb, "RGB", RLELossless)
    dicom("jpeg2000.dcm", np.stack([gray, gray[::-1]]), "MONOCHROME2", JPEG2000Lossless,
          encoded=[encode(Image.fromarray(a), name="x.j2k", irreversible=False) for a in (gray, gray[::-1])])
    dicom("jpeg.dcm", gray, "MONOCHROME2", JPEGBaseline8Bit, encoded=[encode(Image.fromarray(gray), name="x.jpg", quality=98)],
          WindowCenter=128, WindowWidth=256)
    dicom("huge.dcm", gray, "MONOCHROME2", Rows=40000, Columns=40000)
    dicom("video.dcm", gray, "MONOCHROME2", UID("1.2.840.10008.1.2.4.102"), encoded=[b"\0\0\0\1gavc"])


pngs()
webps()
tiffs()
bmps()
modern()
huge()
dicoms()
