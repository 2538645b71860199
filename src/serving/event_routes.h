// The part of the API that is about events: lists, one event, its evidence, the stream.
#pragma once

#include <filesystem>
#include <optional>

#include "cameras/node/node.h"
#include "serving/http_server.h"

namespace sightline::serving {

void AddEventRoutes(cameras::Node* node, Server* server);  // `node` outlives the server

// FOLDER/NAME where that lies beneath the folder, whatever links and dots the name has; nullopt else.
std::optional<std::filesystem::path> Beneath(const std::filesystem::path& folder, std::string_view name);

// "2026-03-01T12:00:00Z", also with a fraction and an offset, or seconds since 1970: microseconds since 1970.
std::optional<int64_t> ParseTime(std::string_view text);

}  // namespace sightline::serving
