#include "pipeline/opening/stated_by_file.hpp"

#include "network/names_reader.hpp"

#include <rfseg/error.hpp>

#include <utility>
#include <variant>
#include <vector>

namespace rfseg::pipeline {

namespace {

using Source = std::pair<std::string, NamesOption>;  // who says it, what

void say(const Options& options, LogLevel level, const std::string& sentence) {
  if (options.log && !sentence.empty()) options.log(level, sentence);
}

bool says_nothing(const NamesOption& names) { return std::holds_alternative<std::monostate>(names); }

/// The names in the file itself. Two kinds of them must lead to the same layout.
Source names_in_file(int columns, const NamesInFile& file, const std::string& model) {
  constexpr const char* kWay = "; names= overrides them";
  std::vector<Source> sources;
  if (file.contract.class_names) {
    const std::string source = file.contract.source + ": class names";
    auto names = network::names_in(*file.contract.class_names);
    if (!names)
      throw ModelError(source + ": expected a list of names or an object {\"id\": \"name\"}, got " +
                       network::short_text(*file.contract.class_names) + kWay);
    sources.emplace_back(source, *std::move(names));
  }
  if (!file.metadata.empty()) {
    try {
      sources.emplace_back("the names of " + model, network::parse_names(file.metadata, "class names in " + model));
    } catch (const ModelError& error) {
      throw ModelError(error.what() + std::string(kWay));
    }
  }
  if (NamesOption names = network::names_in_notes(file.notes); !says_nothing(names))
    sources.emplace_back("the names in the notes of " + model, std::move(names));
  for (std::size_t i = 1; i < sources.size(); ++i)
    if (network::class_layout(columns, sources[0].second, sources[0].first).names !=
        network::class_layout(columns, sources[i].second, sources[i].first).names)
      throw ModelError(sources[0].first + " and " + sources[i].first + " disagree about what classes are called" +
                       kWay);
  return sources.empty() ? Source{} : sources.front();
}

network::ClassLayout from_file(int columns, const Options& options, const NamesInFile& file, const std::string& model) {
  const Source inside = names_in_file(columns, file, model);
  if (!says_nothing(inside.second)) return network::class_layout(columns, inside.second, inside.first);
  const network::SidecarNames beside = network::sidecar_names(model);
  const std::string source = "class names in " + beside.path;
  if (!beside.shared) return network::class_layout(columns, beside.names, source);
  try {
    say(options, LogLevel::warning, beside.fault);
    return network::class_layout(columns, beside.names, source);
  } catch (const InputError& error) {  // a folder's file may be another model's
    say(options, LogLevel::warning, std::string(error.what()) + "; the file is not used");
    return network::class_layout(columns, {}, source);
  }
}

}  // namespace

network::ClassLayout resolve_classes(int columns, const Options& options, const NamesInFile& file,
                                     const std::string& model) {
  network::ClassLayout layout = says_nothing(options.names)
                                    ? from_file(columns, options, file, model)
                                    : network::class_layout(columns, network::asked_names(options.names), "names=");
  say(options, LogLevel::warning, layout.doubt);
  if (layout.names.empty())
    say(options, LogLevel::warning,
        model + " names no classes: every column is kept and called by its number; pass names= (a list, a file, or " +
            "\"coco\")");
  return layout;
}

Resize resolve_resize(const Options& options, const network::ExportContract& contract, const std::string& model) {
  if (options.resize) return *options.resize;
  if (contract.antialias) return *contract.antialias ? Resize::pil : Resize::bilinear;
  say(options, LogLevel::warning,
      model +
          " does not say how frames are resized: as \"pil\", rfdetr's rule up to 1.8; for exports of rfdetr 1.9 and "
          "later resize=\"bilinear\" gives its answers");
  return Resize::pil;
}

Normalisation normalisation_of(const network::ExportContract& contract) {
  Normalisation by;
  if (contract.mean) by.mean = *contract.mean;
  if (contract.deviation) by.deviation = *contract.deviation;
  return by;
}

void say_idle_options(const Options& options) {
  std::string idle;
  const auto add = [&](bool set, const char* name) {
    if (set) idle += (idle.empty() ? "" : ", ") + std::string(name);
  };
  add(options.stages != Stages::device, "stages");
  add(!options.tensorrt.empty(), "tensorrt");
  add(options.allow_engine_code, "allow_engine_code");
  if (!idle.empty()) say(options, LogLevel::warning, "options that do nothing on a CPU: " + idle);
}

}  // namespace rfseg::pipeline
