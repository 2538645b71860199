// For tests of files that say what is right and what is wrong: examples, documents, corpora of bad ones.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"

namespace sightline::pipeline {

inline std::string Read(const std::filesystem::path& file) {
  auto text = ReadTextFile(file, 4 << 20);
  EXPECT_TRUE(text.ok()) << MessageOf(text.status());
  return text.value_or("");
}

// The lines that begin with "#! " at the top of a bad file: what must be said of it, in order.
inline std::string Expected(const std::string& yaml) {
  std::string expected;
  for (const std::string& line : Split(yaml, '\n')) {
    if (!line.starts_with("#! ")) break;
    expected += line.substr(3) + "\n";
  }
  return expected;
}

// A document's own examples, between ```yaml and ```.
inline std::vector<std::string> YamlBlocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  constexpr std::string_view kOpen = "```yaml\n", kClose = "```";
  for (size_t at = markdown.find(kOpen); at != std::string::npos; at = markdown.find(kOpen, at)) {
    at += kOpen.size();
    blocks.push_back(markdown.substr(at, markdown.find(kClose, at) - at));
  }
  return blocks;
}

}  // namespace sightline::pipeline
