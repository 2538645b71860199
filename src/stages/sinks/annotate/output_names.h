// Names for annotated files: made from their sources, inside one folder, each given out once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace sightline::sinks {

// Found inside the files that we make (JPEG comment, MP4 metadata): a later run may replace those, and
// nothing else.
inline constexpr std::string_view kMadeHere = "annotated by Sightline";

// The last part of a path or URL without its extension, as a file name that is safe on every system;
// "picture" when nothing is left. "street/cam 1.mp4" -> "cam 1", "http://host/a.jpg?x=1" -> "a", ".." ->
// "picture".
std::string StemOf(std::string_view source);

// Threads: one at a time.
class OutputNames {
 public:
  explicit OutputNames(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // FOLDER/STEM[-pN][-K].EXTENSION: N is the page, from 2 on (`page` counts from 0); K, from 2 on, where the
  // name was given out before or is a file that was not made here.
  std::filesystem::path Next(std::string_view source, int64_t page, std::string_view extension);

 private:
  const std::filesystem::path folder_;
  std::set<std::string> taken_;  // lower case, for file systems without case
};

}  // namespace sightline::sinks
