#include "apps/sightline/hidden_arguments.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace sightline::app {

void HideCredentials(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view text(argv[i]);
    for (size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at)) {
      at += 3;
      const size_t end = std::min(text.find_first_of("/?# \t\n'\"", at), text.size());
      const size_t sign = text.substr(at, end - at).rfind('@');
      if (sign != std::string_view::npos) std::memset(argv[i] + at, '*', sign);
    }
  }
}

}  // namespace sightline::app
