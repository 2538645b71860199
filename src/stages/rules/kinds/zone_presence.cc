// Something is in a zone.
#include "stages/rules/kinds/presence.h"

namespace sightline::rules {

const Kind& ZonePresenceKind() {
  static const Kind kind{
      {.name = "zone_presence", .after_s = 0, .gap_s = 0.3, .clear_s = 1}, &Presence::Make, false, true};
  return kind;
}

}  // namespace sightline::rules
