// Recognises an RF-DETR segmentation network by its tensors and says in words and in a table why another is refused.
#include "network/model_contract.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <utility>

namespace rfseg::network {
namespace {

constexpr std::int64_t kOpen = -1;
// Keeps every product of sizes that the library forms far inside 63 bits.
constexpr std::int64_t kMaxDimension = 65536;

using Tensors = std::vector<TensorDescription>;

/// Which tensor plays which part; null when none does. `others`: outputs without a part.
struct Roles {
  const TensorDescription* input = nullptr;
  const TensorDescription* dets = nullptr;
  const TensorDescription* labels = nullptr;
  const TensorDescription* masks = nullptr;
  std::vector<const TensorDescription*> others;
};

bool may_be(std::int64_t dimension, std::int64_t wanted) { return dimension == kOpen || dimension == wanted; }

bool agree(std::int64_t a, std::int64_t b) { return a == kOpen || b == kOpen || a == b; }

/// A dimension as a size: 0 when it is open.
int size_of(std::int64_t dimension) { return dimension == kOpen ? 0 : static_cast<int>(dimension); }

bool usable_type(const TensorDescription& tensor) { return tensor.type != ElementType::other; }

bool usable_sizes(const TensorDescription& tensor) {
  return std::all_of(tensor.shape.begin(), tensor.shape.end(),
                     [](std::int64_t d) { return d == kOpen || (d >= 1 && d <= kMaxDimension); });
}

/// True when `a` is dets and `b` is labels: by their names, or because the last dimension leaves no other choice.
bool in_order(const TensorDescription& a, const TensorDescription& b) {
  const std::int64_t a_last = a.shape.back();
  const std::int64_t b_last = b.shape.back();
  if (!may_be(a_last, 4)) return false;
  if (a.name == "dets" && b.name == "labels") return true;
  if (b.name == "dets" && a.name == "labels" && may_be(b_last, 4)) return false;
  return !may_be(b_last, 4) || (a_last == 4 && b_last == kOpen);
}

Roles assign_roles(const Tensors& inputs, const Tensors& outputs) {
  Roles roles;
  if (!inputs.empty()) roles.input = &inputs.front();
  std::vector<const TensorDescription*> flat;
  for (const TensorDescription& output : outputs) {
    if (output.shape.size() == 3)
      flat.push_back(&output);
    else if (output.shape.size() == 4 && roles.masks == nullptr)
      roles.masks = &output;
    else
      roles.others.push_back(&output);
  }
  if (flat.size() == 2 && in_order(*flat[1], *flat[0])) std::swap(flat[0], flat[1]);
  if (flat.size() == 2 && in_order(*flat[0], *flat[1])) {
    roles.dets = flat[0];
    roles.labels = flat[1];
  } else {
    roles.others.insert(roles.others.end(), flat.begin(), flat.end());
  }
  return roles;
}

std::string shape_text(const TensorDescription& tensor) {
  std::string text = "[";
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += tensor.shape[i] == kOpen ? "?" : std::to_string(tensor.shape[i]);
  }
  return text + "] " + tensor.type_name;
}

void append_row(std::string& table, const char* tensor, const char* expected, const TensorDescription* found) {
  const auto pad = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
  };
  table += "\n  " + pad(tensor, 6) + " | " + pad(expected, 30) + " | ";
  table += found == nullptr ? "-" : "'" + found->name + "' " + shape_text(*found);
}

std::string table_of(const Roles& roles, const Tensors& inputs) {
  std::string table = "\n  tensor | expected                       | found";
  append_row(table, "input", "[B or ?, 3, Hn, Wn] float32/16", roles.input);
  for (std::size_t i = 1; i < inputs.size(); ++i) append_row(table, "input", "-", &inputs[i]);
  append_row(table, "dets", "[B or ?, Q, 4] float32/16", roles.dets);
  append_row(table, "labels", "[B or ?, Q, C] float32/16", roles.labels);
  append_row(table, "masks", "[B or ?, Q, Hm, Wm] float32/16", roles.masks);
  for (const TensorDescription* other : roles.others) append_row(table, "output", "-", other);
  return table + "\n  (? is a size that the file leaves open)";
}

/// The functions named _problem say in a sentence what is wrong; "" when nothing is.
std::string input_problem(const Tensors& inputs) {
  if (inputs.size() != 1) return "it has " + std::to_string(inputs.size()) + " inputs, not one.";
  const TensorDescription& input = inputs.front();
  if (input.shape.size() != 4 || input.shape[1] != 3 || !usable_sizes(input))
    return "its input is not a batch of images with 3 channels.";
  if (input.shape[2] == kOpen || input.shape[3] == kOpen)
    return "its image size is open: export it again with a fixed height and width.";
  if (!usable_type(input)) return "its input is " + input.type_name + ", not float32 or float16.";
  return "";
}

std::string count_problem(const Roles& roles, const Tensors& outputs) {
  const std::string count = std::to_string(outputs.size());
  if (roles.masks == nullptr)
    return "no output of rank 4 holds masks: export a segmentation variant (RFDETRSeg...), not a detection one.";
  if (roles.masks->name.find("keypoints") != std::string::npos)
    return "it finds keypoints, not masks: export a segmentation variant (RFDETRSeg...).";
  if (outputs.size() != 3) return "it has " + count + " outputs, not three.";
  if (roles.dets != nullptr) return "";
  if (roles.others.size() != 2 || roles.others[0]->shape.size() != 3 || roles.others[1]->shape.size() != 3)
    return "its outputs are not two of rank 3 and one of rank 4.";
  const std::string both = "'" + roles.others[0]->name + "' and '" + roles.others[1]->name + "'";
  if (may_be(roles.others[0]->shape[2], 4))
    return "which of " + both + " is dets is ambiguous, both may have 4 columns: name the outputs dets and labels.";
  return "neither of " + both + " has the 4 columns of a box.";
}

std::string sizes_problem(const Roles& roles) {
  const TensorDescription& input = *roles.input;
  for (const TensorDescription* output : {roles.dets, roles.labels, roles.masks}) {
    const std::string name = "its output '" + output->name + "' ";
    if (!usable_sizes(*output)) return name + "has a size that is not in 1.." + std::to_string(kMaxDimension) + ".";
    if (!agree(output->shape[0], input.shape[0]))
      return name + "is for a batch of " + std::to_string(output->shape[0]) + ", its input for " +
             std::to_string(input.shape[0]) + ".";
    if (!usable_type(*output)) return name + "is " + output->type_name + ", not float32 or float16.";
  }
  const std::int64_t q = roles.dets->shape[1];
  if (!agree(q, roles.labels->shape[1]) || !agree(q, roles.masks->shape[1]) ||
      !agree(roles.labels->shape[1], roles.masks->shape[1]))
    return "its outputs disagree about the number of queries Q.";
  const std::int64_t mask_height = roles.masks->shape[2];
  const std::int64_t mask_width = roles.masks->shape[3];
  if (mask_height != kOpen && mask_width != kOpen && mask_height * input.shape[3] != mask_width * input.shape[2])
    return "its mask grid does not have the proportions of its input, so it does not cover the image.";
  return "";
}

ModelContract contract_of(const Roles& roles) {
  ModelContract contract;
  contract.input = roles.input->name;
  contract.dets = roles.dets->name;
  contract.labels = roles.labels->name;
  contract.masks = roles.masks->name;
  contract.input_type = roles.input->type;
  contract.dets_type = roles.dets->type;
  contract.labels_type = roles.labels->type;
  contract.masks_type = roles.masks->type;
  contract.batch = size_of(roles.input->shape[0]);
  contract.network_size = {size_of(roles.input->shape[2]), size_of(roles.input->shape[3])};
  contract.mask_size = {size_of(roles.masks->shape[2]), size_of(roles.masks->shape[3])};
  for (const TensorDescription* output : {roles.dets, roles.labels, roles.masks})
    contract.queries = std::max(contract.queries, size_of(output->shape[1]));
  contract.columns = size_of(roles.labels->shape[2]);
  return contract;
}

}  // namespace

ModelContract match_model(const std::string& model, const std::vector<TensorDescription>& inputs,
                          const std::vector<TensorDescription>& outputs) {
  const Roles roles = assign_roles(inputs, outputs);
  std::string problem = input_problem(inputs);
  if (problem.empty()) problem = count_problem(roles, outputs);
  if (problem.empty()) problem = sizes_problem(roles);
  if (problem.empty()) return contract_of(roles);
  throw ModelError(model + " is not an RF-DETR segmentation network that can be run: " + problem +
                   table_of(roles, inputs));
}

}  // namespace rfseg::network
