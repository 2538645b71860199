#include "stages/sinks/events/event_sink.h"

namespace sightline::sinks {

std::vector<absl::Status> EventSink::SendTogether(absl::Span<const EventMessage> messages) {
  std::vector<absl::Status> statuses;
  for (const EventMessage& message : messages) statuses.push_back(Send(message));
  return statuses;
}

}  // namespace sightline::sinks
