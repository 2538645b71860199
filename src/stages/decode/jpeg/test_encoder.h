// For tests and fuzz seeds only: JPEG files of every kind, made by libjpeg-turbo's encoder.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <jpeglib.h>

namespace sightline::decode::jpeg {

enum class Content { kNoise, kSmooth, kFlat };

struct TestPicture {
  int width = 16, height = 16;
  int components = 3;                // 1 grey, 3 RGB, 4 CMYK (inverted, as files have it)
  J_COLOR_SPACE stored = JCS_YCbCr;  // for components 3 and 4: how the file keeps them
  int luma_h = 1, luma_v = 1;
  int quality = 90;
  int restart_interval = 0;
  bool optimize = false, progressive = false, arithmetic = false;
  Content content = Content::kNoise;
  uint32_t seed = 1;
};

// The samples that EncodeTestPicture gives to the encoder, `components` a pixel.
inline std::vector<uint8_t> TestSamples(const TestPicture& picture) {
  std::vector<uint8_t> samples;
  uint32_t state = picture.seed * 2654435761u + 1;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < picture.components; ++c) {
        state = state * 1664525u + 1013904223u;
        const int ramp = (x * (c + 2) + y * (4 - c) + 20) % 510;  // up and down again
        const int smooth = ramp < 256 ? ramp : 510 - ramp;
        samples.push_back(static_cast<uint8_t>(picture.content == Content::kNoise ? state >> 24
                                               : picture.content == Content::kSmooth
                                                   ? static_cast<uint32_t>(smooth)
                                                   : 40u + 60u * static_cast<uint32_t>(c)));
      }
    }
  }
  return samples;
}

inline std::vector<uint8_t> EncodeTestPicture(const TestPicture& picture) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long out_size = 0;  // NOLINT: the library's type
  jpeg_mem_dest(&info, &out, &out_size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = picture.components;
  info.in_color_space = picture.components == 1   ? JCS_GRAYSCALE
                        : picture.components == 3 ? JCS_RGB
                                                  : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, picture.components == 1 ? JCS_GRAYSCALE : picture.stored);
  jpeg_set_quality(&info, picture.quality, TRUE);
  info.comp_info[0].h_samp_factor = picture.luma_h;
  info.comp_info[0].v_samp_factor = picture.luma_v;
  if (picture.components == 4) {  // the same sampling for black
    info.comp_info[3].h_samp_factor = picture.luma_h;
    info.comp_info[3].v_samp_factor = picture.luma_v;
  }
  info.restart_interval = static_cast<unsigned>(picture.restart_interval);
  info.optimize_coding = picture.optimize ? TRUE : FALSE;
  info.arith_code = picture.arithmetic ? TRUE : FALSE;
  if (picture.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> samples = TestSamples(picture);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = samples.data() +
                   size_t{info.next_scanline} * info.image_width * static_cast<size_t>(picture.components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::vector<uint8_t> bytes(out, out + out_size);
  jpeg_destroy_compress(&info);
  std::free(out);  // NOLINT: jpeg_mem_dest uses malloc
  return bytes;
}

// The file with an EXIF segment that holds nothing but the orientation, after SOI.
inline std::vector<uint8_t> WithOrientation(const std::vector<uint8_t>& bytes, int orientation,
                                            bool little_endian) {
  const auto value = static_cast<uint8_t>(orientation);
  const std::vector<uint8_t> big = {0xFF, 0xE1, 0, 34, 'E', 'x',   'i', 'f', 0, 0,  'M', 'M',
                                    0,    42,   0, 0,  0,   8,     0,   1,   1, 18, 0,   3,
                                    0,    0,    0, 1,  0,   value, 0,   0,   0, 0,  0,   0};
  const std::vector<uint8_t> little = {0xFF, 0xE1, 0, 34, 'E',   'x', 'i', 'f', 0,  0, 'I', 'I',
                                       42,   0,    8, 0,  0,     0,   1,   0,   18, 1, 3,   0,
                                       1,    0,    0, 0,  value, 0,   0,   0,   0,  0, 0,   0};
  const std::vector<uint8_t>& exif = little_endian ? little : big;
  std::vector<uint8_t> result(bytes.begin(), bytes.begin() + 2);
  result.insert(result.end(), exif.begin(), exif.end());
  result.insert(result.end(), bytes.begin() + 2, bytes.end());
  return result;
}

}  // namespace sightline::decode::jpeg
