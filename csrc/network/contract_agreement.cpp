// Facts that two sources state, and facts that a network contradicts.
#include "network/export_contract.hpp"

#include <rfseg/error.hpp>

#include <algorithm>

namespace rfseg::network {

namespace {

std::string words(const std::string& text) { return "'" + text + "'"; }
std::string words(bool value) { return value ? "true" : "false"; }
std::string words(int value) { return std::to_string(value); }
std::string words(ImageSize size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }
std::string words(const std::array<float, 3>& numbers) {
  return std::to_string(numbers[0]) + ", " + std::to_string(numbers[1]) + ", " + std::to_string(numbers[2]);
}
std::string words(const Value& value) { return short_text(value); }

/// Fills what is absent in `mine`; two facts must be equal.
template <class Fact>
void merge(std::optional<Fact>& mine, const std::optional<Fact>& theirs, const char* what, const std::string& sources) {
  if (!mine)
    mine = theirs;
  else if (theirs && !(*mine == *theirs))
    throw ModelError(sources + " disagree about " + what + ": " + words(*mine) + " and " + words(*theirs) +
                     "; remove the one that is wrong");
}

void merge_name(std::string& mine, const std::string& theirs, const char* what, const std::string& sources) {
  std::optional<std::string> name = mine.empty() ? std::nullopt : std::optional<std::string>(mine);
  merge(name, theirs.empty() ? std::nullopt : std::optional<std::string>(theirs), what, sources);
  mine = name.value_or("");
}

}  // namespace

ExportContract merged(ExportContract one, const ExportContract& other) {
  if (one.source.empty()) return other;
  const std::string sources = one.source + " and " + other.source;
  merge_name(one.roles.input, other.roles.input, "the input's name", sources);
  merge_name(one.roles.dets, other.roles.dets, "the name of the boxes", sources);
  merge_name(one.roles.labels, other.roles.labels, "the name of the logits", sources);
  merge_name(one.roles.masks, other.roles.masks, "the name of the masks", sources);
  merge(one.batch, other.batch, "the batch", sources);
  merge(one.max_batch, other.max_batch, "the largest batch", sources);
  merge(one.input_size, other.input_size, "the input's size", sources);
  merge(one.mean, other.mean, "the means", sources);
  merge(one.deviation, other.deviation, "the deviations", sources);
  merge(one.antialias, other.antialias, "antialiasing", sources);
  merge(one.places, other.places, "the places", sources);
  merge(one.class_names, other.class_names, "class names", sources);
  merge_name(one.built.tensorrt, other.built.tensorrt, "the TensorRT", sources);
  merge_name(one.built.gpu, other.built.gpu, "the GPU", sources);
  merge_name(one.built.compute_capability, other.built.compute_capability, "the compute capability", sources);
  if (one.precision.empty()) one.precision = other.precision;
  return one;
}

void check_declared(const ExportContract& contract, const std::vector<TensorDescription>& inputs,
                    const std::vector<TensorDescription>& outputs, const std::string& model) {
  const auto require = [&](const std::vector<TensorDescription>& tensors, const std::string& name) {
    if (!name.empty() && std::none_of(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; }))
      throw ModelError(contract.source + " names the tensor '" + name + "', which " + model +
                       " does not have: it describes another network");
  };
  require(inputs, contract.roles.input);
  for (const std::string* name : {&contract.roles.dets, &contract.roles.labels, &contract.roles.masks})
    require(outputs, *name);
  if (inputs.size() != 1 || inputs[0].shape.size() != 4 || !contract.input_size) return;
  const auto agree = [&](std::size_t axis, int stated) {
    const std::int64_t size = inputs[0].shape[axis];
    if (size > 0 && size != stated)
      throw ModelError(contract.source + " states an input of " + words(*contract.input_size) + ", but " + model +
                       " has one of " + std::to_string(inputs[0].shape[2]) + "x" + std::to_string(inputs[0].shape[3]) +
                       ": it describes another network");
  };
  agree(2, contract.input_size->height);
  agree(3, contract.input_size->width);
}

void check_agreement(const ExportContract& contract, const ModelContract& found, const std::string& model) {
  const auto refuse = [&](const std::string& what, const std::string& stated, const std::string& is) {
    throw ModelError(contract.source + " states " + what + " " + stated + ", but " + model + " has " + is +
                     ": it describes another network");
  };
  const auto name = [&](const char* what, const std::string& stated, const std::string& is) {
    if (!stated.empty() && stated != is) refuse(what, words(stated), words(is));
  };
  name("the input", contract.roles.input, found.input);
  name("the boxes", contract.roles.dets, found.dets);
  name("the logits", contract.roles.labels, found.labels);
  name("the masks", contract.roles.masks, found.masks);
  if (contract.input_size && *contract.input_size != found.network_size)
    refuse("an input of", words(*contract.input_size), words(found.network_size));
  if (contract.batch && *contract.batch != found.batch)
    refuse("a batch of", *contract.batch == 0 ? "any size" : words(*contract.batch),
           found.batch == 0 ? "an open one" : words(found.batch));
  const std::string type = found.input_type == ElementType::float16 ? "float16" : "float32";
  if (contract.input_type && *contract.input_type != type) refuse("an input of", *contract.input_type, type);
  if (contract.num_classes && *contract.num_classes > found.columns)
    refuse("classes:", words(*contract.num_classes), words(found.columns) + " class columns");
}

}  // namespace rfseg::network
