// sightline eval: results against truth.
#include <iostream>
#include <set>

#include "apps/sightline/commands.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "evaluate/read.h"
#include "evaluate/report.h"

namespace sightline::app {
namespace {

struct Arguments {
  std::string truth, results, task = "all", json, html, pictures;
  std::vector<std::string> map;
  evaluate::ReadOptions read;
  double iou = 0.5, tolerance_s = 1;
  MediaLimits limits;
};

int Fail(ExitCode code, std::string_view message) {
  std::cerr << "sightline eval: " << message << "\n";
  return code;
}

// The truth's classes, or those that stand in its annotations.
std::vector<std::string> Labels(const evaluate::DataSet& truth) {
  if (!truth.labels.empty()) return truth.labels;
  std::set<std::string> labels;
  for (const evaluate::Picture& picture : truth.pictures) {
    for (const evaluate::Annotation& annotation : picture.annotations) {
      if (annotation.box && !annotation.label.empty()) labels.insert(annotation.label);
    }
  }
  return {labels.begin(), labels.end()};
}

bool HasAttributes(const evaluate::DataSet& set) {
  for (const evaluate::Picture& picture : set.pictures) {
    for (const evaluate::Annotation& annotation : picture.annotations) {
      if (!annotation.attributes.empty()) return true;
    }
  }
  return false;
}

absl::StatusOr<evaluate::Report> Evaluate(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const evaluate::DataSet truth, evaluate::ReadTruth(arguments.truth, arguments.read));
  ASSIGN_OR_RETURN(evaluate::DataSet results, evaluate::ReadResults(arguments.results, arguments.read));
  evaluate::NameByTruth(truth, &results);
  evaluate::Report report;
  report.truth = arguments.truth;
  report.results = arguments.results;
  report.iou = arguments.iou;
  report.errors = results.errors;
  const auto wants = [&](std::string_view task, bool possible) {
    return arguments.task == task || (arguments.task == "all" && possible);
  };
  if (wants("events", truth.has_events && results.has_events)) {
    if (!truth.has_events)
      return absl::InvalidArgumentError(fmt::format("{}: holds no events", arguments.truth));
    report.events = evaluate::EvaluateEvents(truth, results, arguments.tolerance_s);
  }
  if (arguments.task == "events" || truth.pictures.empty()) return report;
  ASSIGN_OR_RETURN(const evaluate::Paired paired, evaluate::PairUp(truth, results));
  report.pictures = static_cast<int64_t>(paired.pairs.size());
  report.without_results = paired.without_results;
  report.without_truth = paired.without_truth;
  const std::vector<std::string> labels = Labels(truth);
  constexpr size_t kWorstEach = 9;
  if (wants("detections",
            truth.has_detections && !labels.empty() && (results.has_detections || results.has_tracks))) {
    report.detections = evaluate::EvaluateDetections(paired, labels);
    report.worst = evaluate::WorstDetections(paired, arguments.iou, kWorstEach);
  }
  if (wants("tracks", truth.has_tracks && results.has_tracks)) {
    if (!truth.has_tracks)
      return absl::InvalidArgumentError(fmt::format("{}: has no identities", arguments.truth));
    report.tracks = evaluate::EvaluateTracks(paired, labels, arguments.iou);
    const auto switches = evaluate::IdentitySwitches(paired, arguments.iou, kWorstEach);
    report.worst.insert(report.worst.end(), switches.begin(), switches.end());
  }
  if (wants("attributes", HasAttributes(truth) && HasAttributes(results)))
    report.attributes = evaluate::EvaluateAttributes(paired, arguments.iou);
  if (!report.detections && !report.tracks && !report.events && !report.attributes) {
    return absl::InvalidArgumentError(
        fmt::format("{} and {} have nothing in common to compare (boxes, tracks, events, attributes)",
                    arguments.truth, arguments.results));
  }
  return report;
}

int Eval(Arguments arguments) {
  for (const std::string& entry : arguments.map) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      return Fail(kExitUsage,
                  fmt::format("--map {}: write label-in-results=label-in-truth", ToValidUtf8(entry)));
    arguments.read.map[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  auto report = Evaluate(arguments);
  if (!report.ok()) return Fail(kExitUsage, MessageOf(report.status()));
  std::cout << evaluate::ReportText(*report);
  if (!arguments.json.empty()) {
    if (absl::Status status = WriteFileAtomically(arguments.json, evaluate::ReportJson(*report));
        !status.ok())
      return Fail(kExitNothingDone, MessageOf(status));
  }
  if (!arguments.html.empty()) {
    std::vector<std::string> jpegs;
    if (!arguments.pictures.empty()) {
      auto drawn = evaluate::DrawWorst(report->worst, arguments.pictures, arguments.limits);
      if (!drawn.ok()) return Fail(kExitUsage, MessageOf(drawn.status()));
      jpegs = *std::move(drawn);
    }
    if (absl::Status status = WriteFileAtomically(arguments.html, evaluate::ReportHtml(*report, jpegs));
        !status.ok())
      return Fail(kExitNothingDone, MessageOf(status));
  }
  return kExitOk;
}

}  // namespace

void AddEvalCommand(CLI::App& app, int* exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* eval = app.add_subcommand("eval", "How right results are: against truth");
  eval->footer(
      "Examples:\n"
      "  sightline eval --truth street7 --results street7.parquet --html street7.html --pictures "
      "street7/video.mp4\n"
      "  sightline eval --truth instances_val.json --results found.jsonl --task detections --json "
      "scores.json\n"
      "  sightline eval --truth labels.csv --results people.parquet --task attributes");
  eval->add_option("--truth", arguments->truth,
                   "COCO .json, MOTChallenge file or folder (as `simulate street` writes), .csv with a "
                   "header, events .jsonl")
      ->required()
      ->type_name("PATH");
  eval->add_option(
          "--results", arguments->results,
          "What `sightline run` wrote (.parquet, .jsonl, .csv), COCO results, MOTChallenge, events .jsonl")
      ->required()
      ->type_name("FILE");
  eval->add_option("--task", arguments->task,
                   "detections, tracks, events, attributes, or all that both sides have")
      ->check(CLI::IsMember({"detections", "tracks", "events", "attributes", "all"}))
      ->type_name("TASK")
      ->capture_default_str();
  eval->add_option("--map", arguments->map,
                   "The results' name of a class, or kind of event = the truth's; may be given several times")
      ->type_name("A=B")
      ->allow_extra_args(false);
  eval->add_option("--labels", arguments->read.labels_file, "Names of MOTChallenge classes, a line each")
      ->type_name("FILE");
  eval->add_option("--step", arguments->read.step, "Of the results only this step's rows")->type_name("ID");
  eval->add_option("--iou", arguments->iou, "Overlap for a match, of tracks and attributes")
      ->check(CLI::Range(0.05, 0.95))
      ->type_name("X")
      ->capture_default_str();
  eval->add_option("--tolerance", arguments->tolerance_s, "Seconds that an event may be off")
      ->check(CLI::Range(0.0, 3600.0))
      ->type_name("S")
      ->capture_default_str();
  eval->add_option("--json", arguments->json, "Write all numbers here")->type_name("FILE");
  eval->add_option("--html", arguments->html, "Write a report with curves and the worst mistakes here")
      ->type_name("FILE");
  eval->add_option("--pictures", arguments->pictures,
                   "The pictures or the video, to show the mistakes in the report")
      ->type_name("PATH");
  eval->callback([arguments, exit_code] { *exit_code = Eval(*arguments); });
}

}  // namespace sightline::app
