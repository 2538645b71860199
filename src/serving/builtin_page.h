// Files that are part of the program: the page and the description of the API.
#pragma once

#include <string_view>

namespace sightline::serving {

extern const std::string_view kPageHtml, kPageStyle, kPageScript, kOpenApi;

}  // namespace sightline::serving
