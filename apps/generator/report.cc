#include "generator/report.h"

#include <algorithm>
#include <map>
#include <utility>

#include "generator/commands.h"
#include "generator/options.h"

namespace generator {
namespace {

KeyState StateOf(const Row& row, const UploadOutcome& outcome, Command command) {
  if (outcome.written_needs.contains(row.need)) return KeyState::kWritten;
  switch (row.state) {
    case RowState::kPresent:
      return KeyState::kPresent;
    case RowState::kToWrite:
      if (command == Command::kVerify) return KeyState::kMissing;
      return command == Command::kPlan ? KeyState::kToWrite : KeyState::kNotWritten;
    case RowState::kByHand:
      return KeyState::kByHand;
    case RowState::kConflict:
      return KeyState::kConflict;
    case RowState::kBlocked:
      return KeyState::kBlocked;
  }
  return KeyState::kByHand;
}

std::string Embedded(const Decision& decision) {
  std::string text;
  for (const Source& source : decision.embeds) {
    text += (text.empty() ? " around " : ", ") + source.ToString();
  }
  return text;
}

std::string DescribeGenerated(const Decision& decision, const std::vector<Token>& tokens) {
  const Recipe* recipe = &decision.recipe;
  std::string in_base64;
  while (recipe->size() == 1 && recipe->front().type == Part::Type::kBase64) {
    in_base64 += ", in base64";
    recipe = &recipe->front().inner;
  }
  const std::optional<size_t> token = OnlyToken(*recipe);
  if (!token.has_value()) return "new" + in_base64;
  if (tokens[*token].fate == Token::Fate::kHash) {
    return "new: " + tokens[*token].digest + " of another value" + in_base64;
  }
  if (tokens[*token].fate == Token::Fate::kBcrypt)
    return "new: bcrypt of another value" + in_base64;
  return "new: " + tokens[*token].form.Describe() + in_base64;
}

std::string DescribeReason(Reason reason) {
  switch (reason) {
    case Reason::kEmpty:
      return "the chart holds no value for it";
    case Reason::kPlaceholder:
      return "the chart holds a placeholder";
    case Reason::kAbsent:
      return "the chart renders no such Secret";
    case Reason::kKubernetes:
      return "stays in Kubernetes: to be copied";
    case Reason::kDatabase:
      return "credentials of a database that is set up elsewhere";
    case Reason::kTls:
      return "TLS material of a database that is set up elsewhere";
    case Reason::kAmbiguous:
      return "taken from several Secrets with different values";
    case Reason::kNone:
      break;
  }
  return {};
}

std::string DescribeMade(const Decision& decision, const Decisions& decisions, const Row& row,
                         KeyState state) {
  if (state == KeyState::kPresent) return "was there already";
  if (state == KeyState::kMissing) return "missing; generate makes it";
  if (row.taken_from.has_value()) {
    return "the same as " + row.taken_from->entry.path.text() + " " + row.taken_from->key;
  }
  switch (decision.cls) {
    case Class::kGenerated:
      return DescribeGenerated(decision, decisions.tokens);
    case Class::kConstant:
      if (decision.from_values) return "from your values";
      return decision.is_public ? "the chart's constant (public)" : "the chart's constant";
    case Class::kRendered:
      return "made by the chart" + Embedded(decision);
    case Class::kExternal:
      break;
  }
  return DescribeReason(decision.reason);
}

bool NeedsHand(const ReportKey& key) { return key.state == KeyState::kByHand; }

// Says for each key by hand which command adds it, given that the commands before it were run.
class CommandWriter {
 public:
  CommandWriter(const ReportContext& context, const UploadOutcome& outcome)
      : context_(context), outcome_(outcome) {}

  std::string For(const Place& place, const Decision& decision) {
    const auto found = outcome_.existing.find(place.entry);
    const bool exists = (found != outcome_.existing.end() && found->second.present()) ||
                        !begun_.insert(place.entry).second || WillExist(place.entry);
    std::string add = AddKeyCommand(place, exists, context_.v1_mounts.contains(place.entry.mount));
    if (decision.reason == Reason::kTls) return ReadFileCommand(place.key) + add;
    if (decision.reason != Reason::kKubernetes || decision.source.key.empty()) return add;
    return ReadSecretCommand(decision.source) + " | " + add;
  }

 private:
  // A plan's commands are for after the run that it plans.
  bool WillExist(const vaultcore::SecretRef& entry) const {
    return std::any_of(outcome_.plan.writes.begin(), outcome_.plan.writes.end(),
                       [&](const Write& write) { return write.ref == entry; });
  }

  const ReportContext& context_;
  const UploadOutcome& outcome_;
  std::set<vaultcore::SecretRef> begun_;
};

void AddUnknown(const Needs& needs, const UploadOutcome& outcome, Report& report) {
  for (const Needs::Unknown& unknown : needs.unknown) {
    const auto found = outcome.existing.find(unknown.entry);
    const bool there = found != outcome.existing.end() && found->second.present();
    report.notes.push_back(
        unknown.service + ": takes all keys of the Secret " + unknown.source.secret.name +
        ", which the chart does not render; put them into " + unknown.entry.ToString() +
        (there ? " (which exists)" : "") + (unknown.optional ? " if there are any" : ""));
  }
}

std::string Pad(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

using Cells = std::vector<std::string>;

// Columns as wide as their widest cell; the last one is not padded.
std::string FormatCells(const std::vector<Cells>& lines) {
  std::vector<size_t> widths;
  for (const Cells& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i + 1 < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const Cells& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      text += i + 1 < line.size() ? Pad(line[i], widths[i] + 2) : line[i];
    }
    text += "\n";
  }
  return text;
}

bool IsProblem(KeyState state) {
  return state == KeyState::kConflict || state == KeyState::kBlocked ||
         state == KeyState::kNotWritten;
}

std::string FormatKeys(const Report& report, bool all) {
  std::vector<Cells> lines = {{"SERVICE", "KEY", "HOW IT WAS MADE", "WHERE"}};
  for (const ReportKey& key : report.keys) {
    if (NeedsHand(key) || IsProblem(key.state)) continue;
    if (key.state == KeyState::kPresent && !all) continue;
    std::string where = key.entry;
    if (key.version > 0) where += " (version " + std::to_string(key.version) + ")";
    lines.push_back({key.service, key.key, key.made, where});
  }
  return lines.size() == 1 ? std::string() : FormatCells(lines);
}

std::string FormatByHand(const Report& report) {
  std::string text;
  for (const bool optional : {false, true}) {
    std::string part;
    for (const ReportKey& key : report.keys) {
      if (!NeedsHand(key) || key.optional != optional) continue;
      part +=
          "  " + key.service + "  " + key.key + "  (" + key.made + ")\n    " + key.command + "\n";
    }
    if (part.empty()) continue;
    text += optional ? "\nOptional, also by hand:\n" : "\nTo be added by hand:\n";
    text += part;
  }
  if (text.empty()) return text;
  return text +
         "\nEach command reads the value from standard input: type or paste it, then Ctrl-D "
         "twice.\nThey need VAULT_TOKEN and VAULT_ADDR=" +
         report.address + "\n";
}

std::string FormatProblems(const Report& report) {
  std::string text;
  for (const ReportKey& key : report.keys) {
    if (!IsProblem(key.state)) continue;
    text += "  " + std::string(NameOf(key.state)) + ": " + key.entry + " " + key.key +
            (key.problem.empty() ? "" : ": " + key.problem) + "\n";
  }
  for (const std::string& problem : report.problems) text += "  " + problem + "\n";
  return text.empty() ? text : "\nNot done:\n" + text;
}

std::string FormatStaying(const Report& report) {
  if (report.staying.empty() && report.dynamic.empty()) return {};
  std::string text = "\nNot from this tool:\n";
  std::vector<Cells> lines;
  lines.reserve(report.staying.size() + report.dynamic.size());
  for (const Staying& each : report.staying) {
    lines.push_back({"  " + each.service, each.name.empty() ? "(all keys)" : each.name,
                     "stays in Kubernetes, Secret " + each.source.ToString()});
  }
  for (const DynamicDatabase& each : report.dynamic) {
    lines.push_back({"  " + each.service, each.type, "issued by Vault, " + each.Path()});
  }
  return text + FormatCells(lines);
}

std::string Plural(size_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string Summary(const Report& report) {
  const size_t written = report.Count(KeyState::kWritten);
  const size_t to_write = report.Count(KeyState::kToWrite);
  const size_t present = report.Count(KeyState::kPresent);
  size_t by_hand = 0;
  size_t optional = 0;
  size_t problems = report.problems.size();
  for (const ReportKey& key : report.keys) {
    if (NeedsHand(key)) ++(key.optional ? optional : by_hand);
    if (IsProblem(key.state)) ++problems;
  }
  std::string text;
  if (written > 0) {
    text = "wrote " + Plural(written, "key", "keys") + " into " +
           Plural(report.entries_written, "entry", "entries");
  } else if (report.command == Command::kVerify) {
    const size_t missing = report.CountMissing();
    text = missing > 0 ? Plural(missing, "key is", "keys are") + " missing"
                       : "nothing is missing: every key that the services need is in Vault";
  } else if (to_write > 0) {
    text = "would write " + Plural(to_write, "key", "keys");
  } else if (problems == 0) {
    text = "nothing to do: all that can be made is in Vault";
  } else {
    text = "wrote nothing";
  }
  text += "; " + Plural(present, "was", "were") +
          (report.command == Command::kVerify ? " found" : " there already");
  if (by_hand > 0) text += "; " + std::to_string(by_hand) + " to be added by hand";
  if (optional > 0) text += "; " + std::to_string(optional) + " optional";
  if (problems > 0) text += "; " + Plural(problems, "problem", "problems");
  return text + "\n";
}

}  // namespace

size_t Report::Count(KeyState state) const {
  return static_cast<size_t>(std::count_if(
      keys.begin(), keys.end(), [&](const ReportKey& key) { return key.state == state; }));
}

void Report::AddMissingRole(const DynamicDatabase& database) {
  ReportKey key;
  key.service = database.service;
  key.kind = EntryKind::kDatabase;
  key.entry = database.mount + "/roles/" + database.role;
  key.key = database.type;
  key.state = KeyState::kMissing;
  key.made = "missing: Vault has no such database role";
  keys.push_back(std::move(key));
}

size_t Report::CountMissing() const {
  return static_cast<size_t>(std::count_if(keys.begin(), keys.end(), [](const ReportKey& key) {
    return !key.optional && (key.state == KeyState::kMissing || key.state == KeyState::kByHand);
  }));
}

std::string_view NameOf(Command command) {
  switch (command) {
    case Command::kPlan:
      return "plan";
    case Command::kVerify:
      return "verify";
    case Command::kGenerate:
      break;
  }
  return "generate";
}

std::string_view NameOf(Class cls) {
  switch (cls) {
    case Class::kGenerated:
      return "generated";
    case Class::kConstant:
      return "constant";
    case Class::kRendered:
      return "rendered";
    case Class::kExternal:
      break;
  }
  return "external";
}

std::string_view NameOf(Reason reason) {
  switch (reason) {
    case Reason::kEmpty:
      return "empty";
    case Reason::kPlaceholder:
      return "placeholder";
    case Reason::kAbsent:
      return "absent";
    case Reason::kKubernetes:
      return "kubernetes";
    case Reason::kDatabase:
      return "database";
    case Reason::kTls:
      return "tls";
    case Reason::kAmbiguous:
      return "ambiguous";
    case Reason::kNone:
      break;
  }
  return "";
}

std::string_view NameOf(KeyState state) {
  switch (state) {
    case KeyState::kPresent:
      return "present";
    case KeyState::kWritten:
      return "written";
    case KeyState::kToWrite:
      return "to-write";
    case KeyState::kMissing:
      return "missing";
    case KeyState::kNotWritten:
      return "not-written";
    case KeyState::kByHand:
      return "by-hand";
    case KeyState::kConflict:
      return "conflict";
    case KeyState::kBlocked:
      return "blocked";
  }
  return "";
}

std::string_view NameOf(EntryKind kind) {
  switch (kind) {
    case EntryKind::kEnv:
      return "env";
    case EntryKind::kFile:
      return "file";
    case EntryKind::kDatabase:
      break;
  }
  return "database";
}

Report MakeReport(const ReportContext& context, const Needs& needs, const Decisions& decisions,
                  const UploadOutcome& outcome) {
  Report report;
  report.command = context.command;
  report.release = context.release;
  report.chart = context.chart;
  report.address = context.address;
  report.staying = needs.staying;
  report.dynamic = needs.dynamic;
  report.notes = needs.notes;
  report.notes.insert(report.notes.end(), outcome.plan.notes.begin(), outcome.plan.notes.end());
  report.problems = needs.problems;
  report.entries_written = outcome.written.size();
  CommandWriter commands(context, outcome);
  for (const Row& row : outcome.plan.rows) {
    const Need& need = needs.needs[row.need];
    const Decision& decision = decisions.by_need[row.need];
    ReportKey key;
    key.service = need.service;
    key.kind = need.kind;
    key.entry = need.place.entry.ToString();
    key.key = need.place.key;
    if (!need.sources.empty()) key.source = need.sources.front().ToString();
    key.cls = decision.cls;
    key.reason = decision.reason;
    key.state = StateOf(row, outcome, context.command);
    key.made = DescribeMade(decision, decisions, row, key.state);
    key.problem = row.problem;
    key.optional = need.optional;
    key.is_public = decision.is_public;
    if (key.state == KeyState::kWritten) {
      const auto version = outcome.written.find(need.place.entry);
      if (version != outcome.written.end()) key.version = version->second;
    }
    if (NeedsHand(key)) key.command = commands.For(need.place, decision);
    report.keys.push_back(std::move(key));
  }
  AddUnknown(needs, outcome, report);
  return report;
}

std::string FormatTable(const Report& report, bool all) {
  std::string text = FormatKeys(report, all);
  text += FormatProblems(report);
  text += FormatByHand(report);
  // It is not news each time.
  if (all || report.entries_written > 0) text += FormatStaying(report);
  if (!text.empty()) text += "\n";
  return text + Summary(report);
}

}  // namespace generator
