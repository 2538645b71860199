#include "stages/sinks/annotate/output_names.h"

extern "C" {
#include <libavformat/avformat.h>
}

#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "base/text.h"

namespace sightline::sinks {
namespace {

constexpr size_t kStemBytesMax = 150;

bool StartsWithMark(const std::filesystem::path& path) {  // JPEG: the comment is near the start
  char head[1024];
  std::ifstream file(path, std::ios::binary);
  file.read(head, sizeof(head));
  return std::string_view(head, static_cast<size_t>(file.gcount())).find(kMadeHere) != std::string_view::npos;
}

bool CarriesMark(const std::filesystem::path& path) {  // MP4: among the metadata
  AVFormatContext* context = nullptr;
  if (avformat_open_input(&context, ("file:" + path.string()).c_str(), av_find_input_format("mp4"), nullptr) <
      0) {
    return false;
  }
  const auto close = absl::MakeCleanup([&] { avformat_close_input(&context); });
  const AVDictionaryEntry* comment = av_dict_get(context->metadata, "comment", nullptr, 0);
  return comment != nullptr && comment->value == kMadeHere;
}

bool MayWrite(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return true;
  if (status.type() != std::filesystem::file_type::regular) return false;
  return path.extension() == ".mp4" ? CarriesMark(path) : StartsWithMark(path);
}

}  // namespace

std::string StemOf(std::string_view source) {
  if (source.find("://") != std::string_view::npos) source = source.substr(0, source.find_first_of("?#"));
  while (!source.empty() && source.back() == '/') source.remove_suffix(1);
  if (const size_t slash = source.rfind('/'); slash != std::string_view::npos)
    source.remove_prefix(slash + 1);
  if (const size_t dot = source.rfind('.'); dot != std::string_view::npos && dot > 0)
    source = source.substr(0, dot);
  std::string stem;
  for (const char c : ToValidUtf8(source)) {
    const bool unsafe = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
                        std::string_view("\\/:*?\"<>|").find(c) != std::string_view::npos;
    stem.push_back(unsafe ? '_' : c);
  }
  while (stem.size() > kStemBytesMax || !IsValidUtf8(stem)) stem.pop_back();  // whole characters only
  const size_t begin = stem.find_first_not_of(". ");
  stem = begin == std::string::npos ? "" : stem.substr(begin, stem.find_last_not_of(". ") - begin + 1);
  return stem.empty() ? "picture" : stem;
}

std::filesystem::path OutputNames::Next(std::string_view source, int64_t page, std::string_view extension) {
  const std::string stem = StemOf(source) + (page > 0 ? fmt::format("-p{}", page + 1) : "");
  for (int64_t copy = 1;; ++copy) {
    const std::string name = stem + (copy > 1 ? fmt::format("-{}", copy) : "") + "." + std::string(extension);
    if (taken_.count(Lower(name)) > 0) continue;
    taken_.insert(Lower(name));
    if (MayWrite(folder_ / name)) return folder_ / name;
  }
}

}  // namespace sightline::sinks
