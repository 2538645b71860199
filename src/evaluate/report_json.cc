#include <nlohmann/json.hpp>

#include "base/text.h"
#include "evaluate/report.h"

namespace sightline::evaluate {
namespace {

using Json = nlohmann::ordered_json;

Json Known(double value) { return value < 0 ? Json(nullptr) : Json(value); }

Json DetectionsJson(const DetectionReport& d) {
  Json json = {{"ap", Known(d.ap)},
               {"ap50", Known(d.ap50)},
               {"ap75", Known(d.ap75)},
               {"ap_small", Known(d.ap_small)},
               {"ap_medium", Known(d.ap_medium)},
               {"ap_large", Known(d.ap_large)},
               {"ar1", Known(d.ar1)},
               {"ar10", Known(d.ar10)},
               {"ar100", Known(d.ar100)},
               {"ar_small", Known(d.ar_small)},
               {"ar_medium", Known(d.ar_medium)},
               {"ar_large", Known(d.ar_large)},
               {"classes", Json::array()}};
  for (const ClassDetections& c : d.classes) {
    json["classes"].push_back({{"label", c.label},
                               {"truths", c.truths},
                               {"results", c.results},
                               {"ap", Known(c.ap)},
                               {"ap50", Known(c.ap50)},
                               {"ap75", Known(c.ap75)},
                               {"ap_small", Known(c.ap_small)},
                               {"ap_medium", Known(c.ap_medium)},
                               {"ap_large", Known(c.ap_large)},
                               {"ar100", Known(c.recall)},
                               {"ar_small", Known(c.recall_small)},
                               {"ar_medium", Known(c.recall_medium)},
                               {"ar_large", Known(c.recall_large)},
                               {"best_score", c.best_score},
                               {"best_precision", c.best_precision},
                               {"best_recall", c.best_recall}});
  }
  return json;
}

Json TrackJson(const TrackScores& s) {
  return {{"label", s.label},
          {"truths", s.counts.truths},
          {"results", s.counts.results},
          {"hota", s.hota},
          {"deta", s.deta},
          {"assa", s.assa},
          {"loca", s.loca},
          {"idf1", s.idf1},
          {"idp", s.idp},
          {"idr", s.idr},
          {"mota", s.mota},
          {"motp", s.motp},
          {"id_switches", s.counts.switches},
          {"fragments", s.counts.fragments},
          {"identities", s.counts.identities},
          {"mostly_tracked", s.counts.mostly_tracked},
          {"mostly_lost", s.counts.mostly_lost}};
}

Json EventJson(const EventScores& s) {
  return {{"kind", s.kind},
          {"truths", s.truths},
          {"results", s.results},
          {"matches", s.matches},
          {"precision", s.precision},
          {"recall", s.recall},
          {"delay_mean_s", s.delay_mean_s},
          {"delay_p95_s", s.delay_p95_s}};
}

Json TimedEventJson(const TimedEvent& e) {
  return {{"kind", e.kind}, {"source", ToValidUtf8(e.source)}, {"begin_s", e.begin_s}, {"end_s", e.end_s}};
}

Json AttributeJson(const AttributeScores& s) {
  Json json = {{"name", s.name}, {"compared", s.compared}, {"missing", s.missing}};
  if (s.number) {
    json["mean_absolute_error"] = s.mean_absolute_error;
    json["bias"] = s.bias;
    json["within_5"] = s.within_5;
    json["bands"] = Json::array();
    for (const auto& b : s.bands)
      json["bands"].push_back({{"low", b.low},
                               {"high", b.high},
                               {"count", b.count},
                               {"mean_absolute_error", b.mean_absolute_error},
                               {"bias", b.bias}});
  } else {
    json["accuracy"] = s.accuracy;
    json["calibration_error"] = Known(s.calibration_error);
    json["confusion"] = s.confusion;
  }
  return json;
}

}  // namespace

std::string ReportJson(const Report& report) {
  Json json = {{"truth", ToValidUtf8(report.truth)},
               {"results", ToValidUtf8(report.results)},
               {"pictures", report.pictures},
               {"without_results", report.without_results},
               {"without_truth", report.without_truth},
               {"errors", report.errors},
               {"iou", report.iou}};
  if (report.detections) json["detections"] = DetectionsJson(*report.detections);
  if (report.tracks) {
    json["tracks"] = TrackJson(report.tracks->combined);
    json["tracks"].erase("label");
    json["tracks"]["classes"] = Json::array();
    for (const TrackScores& s : report.tracks->classes) json["tracks"]["classes"].push_back(TrackJson(s));
  }
  if (report.events) {
    json["events"] = EventJson(report.events->combined);
    json["events"].erase("kind");
    for (const char* list : {"kinds", "missed", "false_alarms"}) json["events"][list] = Json::array();
    for (const EventScores& s : report.events->kinds) json["events"]["kinds"].push_back(EventJson(s));
    for (const TimedEvent& e : report.events->missed) json["events"]["missed"].push_back(TimedEventJson(e));
    for (const TimedEvent& e : report.events->false_alarms)
      json["events"]["false_alarms"].push_back(TimedEventJson(e));
  }
  if (report.attributes) {
    json["attributes"] = Json::array();
    for (const AttributeScores& s : report.attributes->attributes)
      json["attributes"].push_back(AttributeJson(s));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sightline::evaluate
