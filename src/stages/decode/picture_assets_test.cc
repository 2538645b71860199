// The real files of the test assets: what other decoders open, we open alike; what they refuse never hurts.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/status.h"
#include "base/test_assets.h"
#include "base/text.h"
#include "stages/decode/test_pictures.h"

namespace sightline::decode {
namespace {

// A line of CSV without its quotes; the last field may hold commas, nothing before it does.
std::vector<std::string> Fields(const std::string& line) { return Split(line, ','); }

std::vector<std::string> Lines(const std::filesystem::path& path) {
  const auto text = ReadTextFile(path, 1 << 22);
  EXPECT_TRUE(text.ok()) << text.status();
  std::vector<std::string> lines = Split(text.ok() ? *text : "", '\n');
  std::erase_if(lines, [](const std::string& line) { return line.empty() || line[0] == '#'; });
  return lines;
}

Bytes Asset(const std::string& name) {
  Bytes bytes;
  const auto status = ReadFile(AssetsFolder() / "images" / name, 1 << 28, &bytes);
  EXPECT_TRUE(status.ok()) << status;
  return bytes;
}

// Pillow opens these and we don't, each for a reason.
const std::map<std::string, std::string_view>& NotOpened() {
  static const auto* files = new std::map<std::string, std::string_view>{
      {"decoder/pillow/12bit.cropped.tif", "libvips has no 12-bit TIFF"},
      {"decoder/pillow/tiff_tiled_planar_16bit_RGB.tiff", "libvips has no tiled TIFF with separate planes"},
      {"decoder/pillow/tiff_tiled_planar_lzw.tiff", "libvips has no tiled TIFF with separate planes"},
  };
  return *files;
}

bool IsTarga(const std::string& name) {
  return name.ends_with(".tga");
}  // without a signature: not recognised

struct Said {
  Size size;  // as displayed
  bool opens = false;
};

Said WhatPillowSays(const std::string& line) {
  const std::vector<std::string> fields = Fields(line);
  Said said;
  if (fields.size() < 8) return said;
  std::sscanf(fields[4].c_str(), "%dx%d", &said.size.width, &said.size.height);
  if (ParseInteger(fields[6]).value_or(1) >= 5) std::swap(said.size.width, said.size.height);
  said.opens = fields[7] == "ok";
  return said;
}

// JPEG has tests of its own.
bool IsJpeg(const Bytes& bytes) { return Sniff(bytes) == MediaFormat::kJpeg; }

TEST(PictureAssets, what_pillow_opens_opens_with_the_same_size) {
  SKIP_WITHOUT_ASSETS();
  const auto decoder = PictureDecoder::Create({});
  int opened = 0;
  std::vector<std::string> lines = Lines(AssetsFolder() / "images/decoder/decoder_reference.csv");
  lines.erase(lines.begin());  // names of the columns
  for (const std::string& line : lines) {
    const std::string name = Fields(line)[0];
    const Said said = WhatPillowSays(line);
    const Bytes bytes = Asset(name);
    if (IsJpeg(bytes) || IsTarga(name)) continue;
    const auto header = decoder->ReadHeader(bytes);
    const auto frame = header.ok() ? decoder->Decode(bytes, *header, {}) : header.status();
    if (!frame.ok()) {
      EXPECT_FALSE(MessageOf(frame.status()).empty()) << name;
      EXPECT_TRUE(!said.opens || NotOpened().contains(name)) << name << ": " << frame.status();
      continue;
    }
    ++opened;
    EXPECT_FALSE(NotOpened().contains(name)) << name << " opens now";
    EXPECT_EQ((*frame)->source_size, header->size) << name;
    const Size size = header->size;
    EXPECT_TRUE(!said.opens || size == said.size) << name << ": " << size.width << "x" << size.height;
  }
  EXPECT_GE(opened, 470);
}

TEST(PictureAssets, mean_colours_agree_with_pillow_and_pydicom) {
  SKIP_WITHOUT_ASSETS();
  // What no two decoders agree on.
  const std::set<std::string> undefined = {
      "decoder/image-rs/images/bmp/images/V5_A1_R5_G5_B5.bmp",        // one bit of alpha: Pillow ignores it
      "decoder/image-rs/images/bmp/images/pal4rle.bmp",               // Pillow 9.4 misreads 4-bit runs
      "decoder/image-rs/images/bmp/images/pal4rlecut.bmp",            // pixels that nothing writes
      "decoder/pillow/bmp/q/pal8rletrns.bmp",                         // the same
      "decoder/image-rs/images/gif/anim/border_touching_layers.gif",  // background: transparent, or the
                                                                      // palette's colour
      "decoder/image-rs/images/ico/images/two-entry-order-test.ico",  // two equals: the first, or the last
      "decoder/image-rs/images/png/transparency/tbbn0g04.png",        // Pillow ignores the transparent grey
      "decoder/pillow/bmp/b/pal8badindex.bmp",                        // indices beyond the palette
  };
  const auto decoder = PictureDecoder::Create({});
  int compared = 0;
  for (const std::string& line : Lines("src/stages/decode/testdata/asset_means.csv")) {
    const std::vector<std::string> fields = Fields(line);
    ASSERT_EQ(fields.size(), 6u) << line;
    if (undefined.contains(fields[0])) continue;
    const Bytes bytes = Asset(fields[0]);
    const auto header = decoder->ReadHeader(bytes);
    const auto frame = header.ok() ? decoder->Decode(bytes, *header, {}) : header.status();
    if (NotOpened().contains(fields[0])) continue;
    ASSERT_TRUE(frame.ok()) << fields[0] << ": " << frame.status();
    const RgbPicture picture = ToRgb(**frame);
    std::array<double, 3> sum = {};
    for (size_t i = 0; i < picture.samples.size(); ++i) sum[i % 3] += picture.samples[i];
    for (int c = 0; c < 3; ++c) {
      const double mean = sum[c] / (static_cast<double>(picture.size.width) * picture.size.height);
      EXPECT_NEAR(mean, *ParseNumber(fields[3 + c]), 1.0) << fields[0] << " channel " << c;
    }
    ++compared;
  }
  EXPECT_GE(compared, 100);
}

// The references are PNG, whose decoding the test above compares with Pillow. Over black, both become what is
// displayed.
TEST(PictureAssets, agrees_with_the_references_of_image_rs) {
  SKIP_WITHOUT_ASSETS();
  const auto decoder = PictureDecoder::Create({});
  const std::filesystem::path root = AssetsFolder() / "images/decoder/image-rs";
  int compared = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "reference")) {
    if (entry.path().extension() != ".png") continue;
    const std::filesystem::path relative = std::filesystem::relative(entry.path(), root / "reference");
    const std::filesystem::path original = root / "images" / relative.parent_path() / relative.stem();
    const std::string kind = Lower(original.extension().string());
    if (!std::filesystem::exists(original) ||
        (kind != ".bmp" && kind != ".ico" && kind != ".webp" && kind != ".gif"))
      continue;
    if (relative.string().find("lossy") != std::string::npos) continue;
    if (original.filename() == "V5_A8_R8_G8_B8_Rgb.bmp")
      continue;  // plain 32 bits: we and Pillow see no alpha in it
    Bytes bytes, reference;
    ASSERT_TRUE(ReadFile(original, 1 << 26, &bytes).ok() && ReadFile(entry.path(), 1 << 26, &reference).ok());
    const auto decode = [&](const Bytes& file) -> absl::StatusOr<FramePtr> {
      ASSIGN_OR_RETURN(const PictureHeader header, decoder->ReadHeader(file));
      return decoder->Decode(file, header, {});
    };
    const auto ours = decode(bytes), theirs = decode(reference);
    ASSERT_TRUE(ours.ok() && theirs.ok()) << relative << ours.status() << theirs.status();
    if (!((*ours)->size == (*theirs)->size)) continue;
    EXPECT_LE(MaxDifference(ToRgb(**ours), ToRgb(**theirs)), 1) << relative;
    ++compared;
  }
  EXPECT_GE(compared, 20);
}

TEST(PictureAssets, medical_files_open_or_say_why_not) {
  SKIP_WITHOUT_ASSETS();
  const std::map<std::string, std::string_view> refused = {
      {"ExplVR_BigEndNoMeta.dcm", "without pixels (RTIonPlanStorage)"},
      {"JPEG2000-embedded-sequence-delimiter.dcm", "side_max"},  // Pillow refuses its code stream too
      {"empty_charset_LEI.dcm", "without pixels"},
      {"meta_missing_tsyntax.dcm", "0 x 0"},
      {"reportsi_with_empty_number_tags.dcm", "without pixels (BasicTextSRStorage)"},
      {"rtplan.dcm", "without pixels (RTPlanStorage)"},
      {"rtplan_truncated.dcm", "ends inside an element"},
      {"rtstruct.dcm", "without pixels (RTStructureSetStorage)"},
  };
  const auto decoder = PictureDecoder::Create({});
  for (const auto& entry : std::filesystem::directory_iterator(AssetsFolder() / "images/medical_dicom")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".dcm") continue;
    const Bytes bytes = Asset("medical_dicom/" + name);
    const auto header = decoder->ReadHeader(bytes);
    absl::Status status = header.status();
    for (int64_t page = 0; status.ok() && page < header->pages; ++page)
      status = decoder->Decode(bytes, *header, {page, {}}).status();
    const auto reason = refused.find(name);
    if (reason == refused.end()) {
      EXPECT_TRUE(status.ok()) << name << ": " << status;
    } else {
      EXPECT_THAT(std::string(MessageOf(status)), testing::HasSubstr(std::string(reason->second))) << name;
    }
  }
}

}  // namespace
}  // namespace sightline::decode
