#include "pipeline/spec/resolve.h"

#include <set>

#include "base/status.h"
#include "base/text.h"
#include "pipeline/spec/head_tasks.h"
#include "pipeline/spec/step_order.h"

namespace sightline::pipeline {
namespace {

constexpr int kNone = -1;

// What detectors of streets take for each other.
const std::vector<std::vector<std::string_view>>& UsuallyAlike() {
  static const auto* alike = new std::vector<std::vector<std::string_view>>{{"bicycle", "motorcycle"},
                                                                            {"car", "van", "truck", "bus"}};
  return *alike;
}

std::string AStep(StepKind kind) {
  return fmt::format("{} {} step", kind == StepKind::kEmbed ? "an" : "a", Name(kind));
}

bool GivesBoxes(StepKind kind) { return kind == StepKind::kDetect || kind == StepKind::kTrack; }

std::string Suggest(std::string_view name, const std::vector<std::string>& candidates,
                    std::string_view they_are) {
  const std::string near = NearName(name, candidates);
  if (!near.empty()) return fmt::format("; did you mean '{}'?", near);
  constexpr size_t kShown = 8;
  std::vector<std::string> shown(candidates.begin(),
                                 candidates.begin() + std::min(candidates.size(), kShown));
  if (shown.size() < candidates.size()) shown.push_back(fmt::format("... ({} in all)", candidates.size()));
  return fmt::format("; {} {}", they_are, Join(shown, ", "));
}

class Resolver {
 public:
  Resolver(const PipelineSpec& spec, const ModelCatalog& catalog, Report* report)
      : spec_(spec), catalog_(catalog), report_(report), links_(spec.steps.size()) {}

  Plan Run() {
    CheckIds();
    FindLinks();
    const StepOrder order = Order();
    for (size_t i = 0; i < spec_.steps.size(); ++i) CheckLinks(static_cast<int>(i));
    CheckTracks();
    Plan plan;
    plan.name = spec_.name;
    place_.assign(spec_.steps.size(), kNone);
    for (const int i : order.order) {
      place_[i] = static_cast<int>(plan.steps.size());
      plan.steps.push_back(Make(i, plan));
    }
    return plan;
  }

 private:
  struct Links {
    int on = kNone, appearance = kNone;  // indices in the spec
    bool in_cycle = false;
  };

  static std::string Path(int step, std::string_view key) { return fmt::format("steps[{}].{}", step, key); }
  const StepSpec& At(int step) const { return spec_.steps[step]; }

  void CheckIds() {
    for (int i = 0; i < static_cast<int>(spec_.steps.size()); ++i) {
      const int first = Find(At(i).id);
      if (!At(i).id.empty() && first < i) {
        report_->At(Path(i, "id"), fmt::format("the id '{}' is taken by steps[{}]", At(i).id, first));
      }
    }
  }

  int Find(std::string_view id) const {
    for (int i = 0; i < static_cast<int>(spec_.steps.size()); ++i) {
      if (!id.empty() && At(i).id == id) return i;
    }
    return kNone;
  }

  int Link(int step, std::string_view key, const std::string& id) {
    if (id.empty()) return kNone;
    const int found = Find(id);
    if (found != kNone) return found;
    std::vector<std::string> ids;
    for (const StepSpec& other : spec_.steps) {
      if (!other.id.empty() && other.id != At(step).id) ids.push_back(other.id);
    }
    report_->At(Path(step, key), fmt::format("there is no step '{}'{}", id,
                                             ids.empty() ? std::string() : Suggest(id, ids, "there are")));
    return kNone;
  }

  void FindLinks() {
    for (int i = 0; i < static_cast<int>(spec_.steps.size()); ++i) {
      links_[i].on = Link(i, "on", At(i).on);
      links_[i].appearance = Link(i, "appearance", At(i).appearance);
    }
  }

  StepOrder Order() {
    std::vector<std::vector<int>> waits(spec_.steps.size());
    for (size_t i = 0; i < waits.size(); ++i) {
      for (const int other : {links_[i].on, links_[i].appearance}) {
        if (other != kNone) waits[i].push_back(other);
      }
    }
    StepOrder order = OrderSteps(waits);
    for (const std::vector<int>& cycle : order.cycles) {
      std::vector<std::string> names;
      for (const int step : cycle) {
        names.push_back(At(step).id);
        links_[step].in_cycle = true;
      }
      names.push_back(names.front());
      const int next = cycle.size() > 1 ? cycle[1] : cycle[0];
      report_->At(Path(cycle[0], links_[cycle[0]].on == next ? "on" : "appearance"),
                  fmt::format("the steps wait for each other: {}", Join(names, " -> ")));
    }
    return order;
  }

  void CheckLinks(int i) {
    const StepSpec& step = At(i);
    const Links& links = links_[i];
    if (links.on != kNone && !(links.in_cycle && links_[links.on].in_cycle) && At(links.on).kind &&
        step.kind) {
      const StepKind other = *At(links.on).kind;
      if (step.kind == StepKind::kTrack && other != StepKind::kDetect) {
        report_->At(Path(i, "on"), fmt::format("a track step works on a detect step; '{}' is a {} step",
                                               step.on, Name(other)));
      } else if (!GivesBoxes(other)) {
        report_->At(Path(i, "on"),
                    fmt::format("'{}' is a {} step and gives no boxes; detect and track steps do", step.on,
                                Name(other)));
      }
    }
    if (step.on.empty()) {
      const auto wants_on = [&](bool given, const char* key) {
        if (given) report_->At(Path(i, key), fmt::format("'{}' is about boxes: it needs 'on'", key));
      };
      wants_on(step.on_labels.has_value(), "on_labels");
      wants_on(step.margin != 0, "margin");
      wants_on(step.square, "square");
      wants_on(step.min_box != 0, "min_box");
    }
    if (links.appearance != kNone) CheckAppearance(i);
    if (step.appearance.empty() && step.appearance_weight.value_or(0) != 0) {
      report_->At(Path(i, "appearance_weight"),
                  "needs 'appearance': the embed step that says what things look like");
    }
    if (step.tracker.low_score > step.tracker.high_score) {
      report_->At(Path(i, Locates(i, "low_score")),
                  fmt::format("low_score {} is above high_score {}", step.tracker.low_score,
                              step.tracker.high_score));
    }
  }

  // The key of the two that stands in the file.
  std::string_view Locates(int i, std::string_view key) const {
    return At(i).tracker.low_score == track::TrackerOptions().low_score ? "high_score" : key;
  }

  void CheckAppearance(int i) {
    const Links& links = links_[i];
    if (links.in_cycle && links_[links.appearance].in_cycle) return;
    const StepSpec& embed = At(links.appearance);
    if (embed.kind && embed.kind != StepKind::kEmbed) {
      report_->At(Path(i, "appearance"), fmt::format("'{}' is a {} step; appearance comes from an embed step",
                                                     embed.id, Name(*embed.kind)));
    } else if (embed.kind && links.on != kNone && links_[links.appearance].on != links.on) {
      report_->At(Path(i, "appearance"),
                  fmt::format("the step '{}' looks at {}; it must be on '{}' too", embed.id,
                              embed.on.empty() ? "the whole picture" : "'" + embed.on + "'", At(i).on));
    }
  }

  void CheckTracks() {
    for (int i = 0; i < static_cast<int>(spec_.steps.size()); ++i) {
      if (At(i).kind != StepKind::kTrack || links_[i].on == kNone) continue;
      for (int before = 0; before < i; ++before) {
        if (At(before).kind != StepKind::kTrack || links_[before].on != links_[i].on) continue;
        report_->At(Path(i, "on"), fmt::format("the boxes of '{}' are tracked by step '{}' already", At(i).on,
                                               At(before).id));
        break;
      }
    }
  }

  void FindModel(int i, Step* step) {
    const StepSpec& spec = At(i);
    if (spec.kind == StepKind::kTrack || spec.model.empty()) return;
    auto found = catalog_.Find(spec.model);
    if (!found.ok()) {
      std::string message(MessageOf(found.status()));
      std::replace(message.begin(), message.end(), '\n', ';');
      return report_->At(Path(i, "model"), std::move(message));
    }
    const HeadCard& head = (*found)->card.head;
    const auto task = FindTask(head.family);
    if (task != spec.kind) {
      return report_->At(Path(i, "model"),
                         fmt::format("'{}' is for {} steps (its family is {}), not for {}", spec.model,
                                     task ? Name(*task) : "no", head.family, AStep(step->kind)));
    }
    step->model = *std::move(found);
    step->head = head;
  }

  std::vector<int> ClassIds(const std::string& path, const std::vector<std::string>& wanted,
                            const CatalogModel& model) {
    const std::vector<std::string>& labels = model.card.head.labels;
    std::set<int> ids;
    for (size_t i = 0; i < wanted.size(); ++i) {
      bool found = false;
      for (size_t id = 0; id < labels.size(); ++id) {  // a name may stand for several classes
        if (labels[id] != wanted[i]) continue;
        ids.insert(static_cast<int>(id));
        found = true;
      }
      if (found) continue;
      if (report_->full()) return {};
      const std::string where = fmt::format("{}[{}]", path, i);
      if (labels.empty()) {
        report_->At(where, fmt::format("the model '{}' names no classes; its card's head.labels does",
                                       model.card.name));
        return {};
      }
      report_->At(where, fmt::format("the model '{}' has no label '{}'{}", model.card.name,
                                     ToValidUtf8(wanted[i]), Suggest(wanted[i], labels, "it has")));
    }
    return {ids.begin(), ids.end()};
  }

  // on_labels are those of the detect step that the boxes come from.
  std::vector<int> OnClasses(int i, const Plan& plan) {
    int source = links_[i].on;
    if (source != kNone && At(source).kind == StepKind::kTrack) source = links_[source].on;
    if (source == kNone || place_[source] == kNone || !At(i).on_labels) return {};
    const Step& detect = plan.steps[place_[source]];
    if (detect.model == nullptr) return {};
    std::vector<int> ids = ClassIds(Path(i, "on_labels"), *At(i).on_labels, *detect.model);
    for (const int id : ids) {
      const auto& kept = detect.keep_classes;
      if (kept.empty() || std::find(kept.begin(), kept.end(), id) != kept.end()) continue;
      report_->At(Path(i, "on_labels"),
                  fmt::format("the step '{}' keeps no '{}'", detect.id, detect.model->card.head.labels[id]));
    }
    return ids;
  }

  std::vector<std::vector<int>> Alike(int i, const Plan& plan) {
    const int source = links_[i].on;
    if (source == kNone || place_[source] == kNone || plan.steps[place_[source]].model == nullptr) return {};
    const CatalogModel& model = *plan.steps[place_[source]].model;
    return At(i).alike ? AlikeIds(Path(i, "alike"), *At(i).alike, model)
                       : UsuallyAlikeIds(model.card.head.labels);
  }

  std::vector<std::vector<int>> AlikeIds(const std::string& path,
                                         const std::vector<std::vector<std::string>>& groups,
                                         const CatalogModel& model) {
    std::vector<std::vector<int>> alike;
    std::set<int> known;
    for (size_t group = 0; group < groups.size(); ++group) {
      const std::string where = fmt::format("{}[{}]", path, group);
      alike.push_back(ClassIds(where, groups[group], model));
      for (const int id : alike.back()) {
        if (known.insert(id).second) continue;
        report_->At(
            where, fmt::format("'{}' stands in two groups", model.card.head.labels[static_cast<size_t>(id)]));
      }
    }
    return alike;
  }

  static std::vector<std::vector<int>> UsuallyAlikeIds(const std::vector<std::string>& labels) {
    std::vector<std::vector<int>> alike;
    for (const auto& names : UsuallyAlike()) {
      std::vector<int> ids;
      for (size_t id = 0; id < labels.size(); ++id) {
        if (std::find(names.begin(), names.end(), labels[id]) != names.end())
          ids.push_back(static_cast<int>(id));
      }
      if (ids.size() > 1) alike.push_back(std::move(ids));
    }
    return alike;
  }

  Step Make(int i, const Plan& plan) {
    const StepSpec& spec = At(i);
    Step step;
    step.id = spec.id;
    step.kind = spec.kind.value_or(StepKind::kDetect);
    step.on = links_[i].on == kNone ? kNone : place_[links_[i].on];
    FindModel(i, &step);
    step.head.min_score = spec.min_score.value_or(step.head.min_score);
    step.head.iou = spec.iou.value_or(step.head.iou);
    step.head.class_agnostic = spec.class_agnostic.value_or(step.head.class_agnostic);
    step.head.max_detections = spec.max_detections.value_or(step.head.max_detections);
    step.head.top_k = spec.top_k.value_or(step.head.top_k);
    if (spec.labels && step.model != nullptr)
      step.keep_classes = ClassIds(Path(i, "labels"), *spec.labels, *step.model);
    step.on_classes = OnClasses(i, plan);
    step.margin = spec.margin;
    step.square = spec.square;
    step.min_box = spec.min_box;
    step.tracker = spec.tracker;
    step.appearance = links_[i].appearance == kNone ? kNone : place_[links_[i].appearance];
    if (step.kind == StepKind::kTrack) {
      step.tracker.alike = Alike(i, plan);
      step.tracker.appearance_weight =
          spec.appearance_weight.value_or(spec.appearance.empty() ? 0 : kAppearanceWeight);
    }
    return step;
  }

  const PipelineSpec& spec_;
  const ModelCatalog& catalog_;
  Report* report_;
  std::vector<Links> links_;
  std::vector<int> place_;  // a step's index in the plan
};

}  // namespace

Plan Resolve(const PipelineSpec& spec, const ModelCatalog& catalog, Report* report) {
  return Resolver(spec, catalog, report).Run();
}

}  // namespace sightline::pipeline
