#include "network/contract_files.hpp"

#include "network/engine_sidecar.hpp"
#include "network/sha256.hpp"
#include "network/stated_facts.hpp"
#include "network/text.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace rfseg::network {

namespace {

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

/// Words for the first fact that two objects state differently.
std::string difference(const Value& a, const Value& b) {
  if (a.object() == nullptr || b.object() == nullptr) return short_text(a) + " and " + short_text(b);
  for (const auto& [key, value] : *a.object()) {
    const Value* other = b.find(key);
    if (other == nullptr) return key + " " + short_text(value) + " and nothing";
    if (!(value == *other)) return key + " " + short_text(value) + " and " + short_text(*other);
  }
  for (const auto& [key, value] : *b.object())
    if (a.find(key) == nullptr) return key + " nothing and " + short_text(value);
  return "";
}

/// The metadata in `<file name>.rfdetr.json`, whose digest must be the model's.
Value sidecar_metadata(const std::string& path, const std::string& model) {
  const Value value = parse_value(read_text_file(path, path), path);
  const StatedFacts facts(value, path);
  std::string digest = facts.text("artifact_sha256").value_or("");
  std::transform(digest.begin(), digest.end(), digest.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (digest.empty()) facts.refuse("artifact_sha256", "it is missing: expected the SHA-256 of " + model);
  if (const std::string found = sha256_of_file(model); digest != found)
    facts.refuse("artifact_sha256", "it describes another build: " + model + " has " + found +
                                        "; put the file beside it that was written with it, or remove this one");
  const Value* metadata = facts.find("metadata");
  if (metadata == nullptr) facts.refuse("metadata", "it is missing");
  return *metadata;
}

/// What rfdetr and others write as `model.json` beside `model.trt`; states nothing where that is something else.
ExportContract trt_description(const std::string& model, const LogCallback& log) {
  std::filesystem::path description = model;
  if (description.extension() != ".trt" || !is_there(description.replace_extension(".json"))) return {};
  const std::string path = description.string();
  const Value value = parse_value(read_text_file(path, path), path);
  if (value.find("schema_version") != nullptr || value.find("engine") != nullptr)
    return parse_engine_contract(value, path, model);
  if (log) log(LogLevel::warning, path + " does not describe an engine: it is not looked at");
  return {};
}

}  // namespace

ExportContract read_contract(const std::string& model, const std::string& format, const std::string& metadata,
                             const std::vector<std::string>& outputs, const LogCallback& log) {
  ExportContract contract;
  const std::string inside = "rfdetr_inference in " + model;
  const std::string beside = model + ".rfdetr.json";
  std::optional<Value> stated;
  if (!metadata.empty()) stated = parse_value(utf8_text(metadata, inside), inside);
  if (is_there(beside)) {
    const Value other = sidecar_metadata(beside, model);
    if (stated && !(*stated == other))
      throw ModelError(inside + " and " + beside + " disagree: " + difference(*stated, other) +
                       "; remove the one that is wrong");
    contract = parse_export_contract(other, beside, format, outputs);
  } else if (stated) {
    contract = parse_export_contract(*stated, inside, format, outputs);
  }
  if (format != "tensorrt") return contract;
  contract = merged(std::move(contract), trt_description(model, log));
  const std::string own = model + ".json";
  if (!is_there(own)) return contract;
  return merged(std::move(contract), parse_engine_sidecar(parse_value(read_text_file(own, own), own), own, model));
}

}  // namespace rfseg::network
