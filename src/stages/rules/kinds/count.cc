// So many are in a zone at a time.
#include "stages/rules/kinds/gathering.h"

namespace sightline::rules {
namespace {

class Count final : public Gathering {
 public:
  using Gathering::Gathering;

 protected:
  bool Wanted(const Track&) const override { return true; }
  void Look(const Moment& moment, std::vector<Event>* events) override {
    const auto here = Here();
    if (here.size() >= static_cast<size_t>(rule().config.count))
      State(moment, 0, nullptr, Found(here), events);
    else
      State(moment, 0, nullptr, std::nullopt, events);
  }
};

}  // namespace

const Kind& CountKind() {
  static const Kind kind{{.name = "count", .after_s = 0, .gap_s = 0.3, .clear_s = 2}, &MakeState<Count>};
  return kind;
}

}  // namespace sightline::rules
