// Nobody and nothing is in a zone.
#include "stages/rules/kinds/gathering.h"

namespace sightline::rules {
namespace {

class Absence final : public Gathering {
 public:
  using Gathering::Gathering;

 protected:
  bool Wanted(const Track&) const override { return true; }
  void Look(const Moment& moment, std::vector<Event>* events) override {
    if (Here().empty())
      State(moment, 0, nullptr, Found({}), events);
    else
      State(moment, 0, nullptr, std::nullopt, events);
  }
};

}  // namespace

const Kind& AbsenceKind() {
  static const Kind kind{{.name = "absence", .after_s = 60, .gap_s = 0, .clear_s = 0.5}, &MakeState<Absence>};
  return kind;
}

}  // namespace sightline::rules
