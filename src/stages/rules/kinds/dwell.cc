// Something stays in a zone for too long.
#include "stages/rules/kinds/presence.h"

namespace sightline::rules {

const Kind& DwellKind() {
  static const Kind kind{
      {.name = "dwell", .after_s = 10, .gap_s = 1, .clear_s = 1}, &Presence::Make, false, true};
  return kind;
}

}  // namespace sightline::rules
