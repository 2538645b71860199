// What a camera's address means, and what of it may be shown.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cameras/stream/camera_stream.h"

namespace sightline::cameras {

// InvalidArgument for what can be no source, in words that hold no credentials. Nothing is opened.
absl::StatusOr<ingest::Input> ParseSource(const SourceOptions& options, const StreamContext& context);

// `status` without what may be secret in `address`: user, password, and the queries of URLs (many cameras
// take the password there).
absl::Status WithoutSecrets(const absl::Status& status, std::string_view address);

}  // namespace sightline::cameras
