// The JSON form of the report.

#include <utility>

#include "generator/report.h"
#include "vaultcore/api/json.h"

namespace generator {
namespace {

using vaultcore::Json;

void SetText(Json& object, std::string_view name, std::string_view text) {
  if (!text.empty()) object.Set(name, Json::String(text));
}

Json KeyToJson(const ReportKey& key) {
  Json object = Json::Object();
  object.Set("service", Json::String(key.service));
  object.Set("kind", Json::String(NameOf(key.kind)));
  object.Set("entry", Json::String(key.entry));
  object.Set("key", Json::String(key.key));
  SetText(object, "source", key.source);
  object.Set("class", Json::String(NameOf(key.cls)));
  SetText(object, "reason", NameOf(key.reason));
  object.Set("state", Json::String(NameOf(key.state)));
  object.Set("made", Json::String(key.made));
  object.Set("optional", Json::Bool(key.optional));
  object.Set("public", Json::Bool(key.is_public));
  if (key.version > 0) object.Set("version", Json::Number(static_cast<int64_t>(key.version)));
  SetText(object, "problem", key.problem);
  SetText(object, "command", key.command);
  return object;
}

Json StayingToJson(const Staying& staying) {
  Json object = Json::Object();
  object.Set("service", Json::String(staying.service));
  object.Set("kind", Json::String(staying.kind == UseKind::kEnv ? "env" : "file"));
  SetText(object, "name", staying.name);
  object.Set("source", Json::String(staying.source.ToString()));
  return object;
}

Json DynamicToJson(const DynamicDatabase& database) {
  Json object = Json::Object();
  object.Set("service", Json::String(database.service));
  object.Set("type", Json::String(database.type));
  object.Set("path", Json::String(database.Path()));
  return object;
}

template <typename Items, typename ToJson>
Json ArrayOf(const Items& items, const ToJson& to_json) {
  Json array = Json::Array();
  for (const auto& item : items) array.Append(to_json(item));
  return array;
}

Json TextToJson(const std::string& text) { return Json::String(std::string_view(text)); }

}  // namespace

std::string FormatJson(const Report& report) {
  Json object = Json::Object();
  object.Set("format", Json::String("vaultcore-report/1"));
  object.Set("command", Json::String(NameOf(report.command)));
  object.Set("release", Json::String(report.release));
  object.Set("chart", Json::String(report.chart));
  object.Set("address", Json::String(report.address));
  object.Set("entriesWritten", Json::Number(static_cast<int64_t>(report.entries_written)));
  object.Set("keys", ArrayOf(report.keys, KeyToJson));
  object.Set("kubernetes", ArrayOf(report.staying, StayingToJson));
  object.Set("dynamic", ArrayOf(report.dynamic, DynamicToJson));
  object.Set("notes", ArrayOf(report.notes, TextToJson));
  object.Set("problems", ArrayOf(report.problems, TextToJson));
  return std::string(object.DumpPretty().Reveal()) + "\n";
}

}  // namespace generator
