#include "network/engine_sidecar.hpp"

#include "network/stated_facts.hpp"

#include <rfseg/error.hpp>

#include <filesystem>
#include <system_error>

namespace rfseg::network {

namespace {

constexpr int kSchema = 1;

void require_size(const StatedFacts& facts, const std::string& model) {
  const Value* size = facts.find("engine_size");
  if (size == nullptr || (size->number() != nullptr && size->number()->value == 0)) return;
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(model, error);
  if (size->number() == nullptr || size->number()->value != static_cast<double>(bytes))
    facts.refuse("engine_size", "it describes another build: " + model + " has " + std::to_string(bytes) +
                                    " bytes: build the engine again, or remove this file");
}

std::optional<ImageSize> size_of(const StatedFacts& facts, const std::string& key) {
  const Value* value = facts.find(key);
  if (value == nullptr) return std::nullopt;
  const Value::List* pair = value->list();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].integer() || !(*pair)[1].integer())
    facts.refuse(key, "expected [height, width]");
  const ImageSize size{*(*pair)[0].integer(), *(*pair)[1].integer()};
  return size.height > 0 ? std::optional<ImageSize>(size) : std::nullopt;
}

std::optional<bool> antialias_of(const StatedFacts& facts) {
  const std::string resize = facts.text("resize").value_or("");
  if (resize.empty()) return std::nullopt;
  if (resize != "pil" && resize != "bilinear") facts.refuse("resize", "expected \"pil\" or \"bilinear\"");
  return resize == "pil";
}

}  // namespace

ExportContract parse_engine_sidecar(const Value& object, const std::string& source, const std::string& model) {
  const StatedFacts facts(object, source);
  const Value* version = facts.find("schema_version");
  if (version == nullptr || version->integer() != kSchema)
    facts.refuse("schema_version", "this rfseg reads " + std::to_string(kSchema) +
                                       ": build the engine again, use the rfseg that built it, or remove this file");
  require_size(facts, model);
  ExportContract contract;
  contract.source = source;
  contract.roles.input = facts.text("input_name").value_or("");
  contract.input_size = size_of(facts, "network_size");
  contract.antialias = antialias_of(facts);
  contract.mean = facts.triple("mean", false);
  contract.deviation = facts.triple("std", true);
  contract.places = facts.integer("places", 1);
  if (const Value* names = facts.find("names")) contract.class_names = *names;
  contract.precision = facts.text("precision").value_or("");
  contract.built = {facts.text("tensorrt").value_or(""), facts.text("gpu").value_or(""),
                    facts.text("compute_capability").value_or("")};
  return contract;
}

}  // namespace rfseg::network
