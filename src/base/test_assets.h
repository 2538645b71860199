// For tests only: the folder of real models, pictures and videos, which is never part of the repository.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace sightline {

// SIGHTLINE_ASSETS, else ../shared/assets from the repository's root (tests run there); empty where there is
// none.
inline std::filesystem::path AssetsFolder() {
  const char* named = std::getenv("SIGHTLINE_ASSETS");
  const std::filesystem::path folder = named != nullptr ? named : "../shared/assets";
  std::error_code error;
  return std::filesystem::is_directory(folder, error) ? folder : std::filesystem::path();
}

}  // namespace sightline

// Inside a test: skips it, saying why, where the assets are not there.
#define SKIP_WITHOUT_ASSETS() \
  if (::sightline::AssetsFolder().empty()) GTEST_SKIP() << "no test assets: set SIGHTLINE_ASSETS"
