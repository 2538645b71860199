// Expected failures travel as absl::Status / absl::StatusOr; these helpers pass them on with context.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sightline {

// "context: message", same code, payloads kept. An OK status stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// The message for a person: without the code, unless there is no message.
std::string_view MessageOf(const absl::Status& status);

// A status from errno: "context: No such file or directory".
absl::Status ErrnoStatus(int error_number, std::string_view context);

}  // namespace sightline

#define SIGHTLINE_CONCAT_INNER(a, b) a##b
#define SIGHTLINE_CONCAT(a, b) SIGHTLINE_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                 \
  do {                                                              \
    if (auto status_ = (expression); !status_.ok()) return status_; \
  } while (false)

#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_INNER(SIGHTLINE_CONCAT(status_or_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_INNER(temporary, target, expression) \
  auto temporary = (expression);                              \
  if (!temporary.ok()) return std::move(temporary).status();  \
  target = std::move(temporary).value()
