// Recognises an RF-DETR segmentation network by its tensors and says in words and in a table why another is refused.
#include "network/model_contract.hpp"

#include "network/tensor_roles.hpp"

#include <rfseg/error.hpp>

#include <algorithm>

namespace rfseg::network {
namespace {

// Keeps every product of sizes that the library forms far inside 63 bits.
constexpr std::int64_t kMaxDimension = 65536;

using Tensors = std::vector<TensorDescription>;

bool agree(std::int64_t a, std::int64_t b) { return a == kOpen || b == kOpen || a == b; }

/// A dimension as a size: 0 when it is open.
int size_of(std::int64_t dimension) { return dimension == kOpen ? 0 : static_cast<int>(dimension); }

bool usable_type(const TensorDescription& tensor) { return tensor.type != ElementType::other; }

bool usable_sizes(const TensorDescription& tensor) {
  return std::all_of(tensor.shape.begin(), tensor.shape.end(),
                     [](std::int64_t d) { return d == kOpen || (d >= 1 && d <= kMaxDimension); });
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

std::string table_of(const AssignedRoles& roles, const Tensors& inputs) {
  std::string table = "\n  tensor | expected                       | found";
  append_row(table, "input", "[B, 3, Hn, Wn] float32/16", roles.input);
  for (std::size_t i = 1; i < inputs.size(); ++i) append_row(table, "input", "-", &inputs[i]);
  append_row(table, "dets", "[B, Q, 4] float32/16", roles.dets);
  append_row(table, "labels", "[B, Q, C] float32/16", roles.labels);
  append_row(table, "masks", "[B, Q, Hm, Wm] float32/16", roles.masks);
  for (const TensorDescription* other : roles.others) append_row(table, "output", "-", other);
  return table + "\n  (B: 1 or any other number of images; ? is a size that the file leaves open)";
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

std::string stated_problem(const AssignedRoles& roles, const TensorRoles& stated) {
  const auto problem = [](const char* role, const std::string& name, const TensorDescription* found) -> std::string {
    if (name.empty() || (found != nullptr && found->name == name)) return "";
    return "its own contract says that '" + name + "' is its " + role + ", and it has no such tensor.";
  };
  std::string text = problem("input", stated.input, roles.input);
  if (text.empty()) text = problem("boxes", stated.dets, roles.dets);
  if (text.empty()) text = problem("logits", stated.labels, roles.labels);
  if (text.empty()) text = problem("masks", stated.masks, roles.masks);
  return text;
}

std::string count_problem(const AssignedRoles& roles, const Tensors& outputs) {
  if (roles.masks == nullptr || roles.masks->shape.size() != 4)
    return "no output of rank 4 holds masks: export a segmentation variant (RFDETRSeg...), not a detection one.";
  if (roles.masks->name.find("keypoints") != std::string::npos)
    return "it finds keypoints, not masks: export a segmentation variant (RFDETRSeg...).";
  for (const TensorDescription* other : roles.others)
    if (outputs.size() > 3 && !roles.masks_named && other->shape.size() == 4)
      return "which of '" + roles.masks->name + "' and '" + other->name + "' is masks is ambiguous: name it masks.";
  for (const TensorDescription* stated : {roles.dets, roles.labels})
    if (stated != nullptr && stated->shape.size() != 3)
      return "'" + stated->name + "' does not have the three dimensions of boxes and logits.";
  if (roles.named)
    return may_be(roles.dets->shape[2], 4) ? "" : "'" + roles.dets->name + "' does not have the 4 columns of a box.";
  if (outputs.size() != 3)
    return "it has " + std::to_string(outputs.size()) +
           " outputs, not three, and their names do not say which are dets, labels and masks.";
  if (roles.dets != nullptr && roles.labels != nullptr) return "";
  if (roles.labels != nullptr) return "no other output of rank 3 has the 4 columns of a box.";
  if (roles.others.size() != 2 || roles.others[0]->shape.size() != 3 || roles.others[1]->shape.size() != 3)
    return "its outputs are not two of rank 3 and one of rank 4.";
  const std::string both = "'" + roles.others[0]->name + "' and '" + roles.others[1]->name + "'";
  if (may_be(roles.others[0]->shape[2], 4))
    return "which of " + both + " is dets is ambiguous, both may have 4 columns: name the outputs dets and labels.";
  return "neither of " + both + " has the 4 columns of a box.";
}

std::string sizes_problem(const AssignedRoles& roles) {
  const TensorDescription& input = *roles.input;
  const std::int64_t batch = std::max<std::int64_t>(input.shape[0], 1);
  for (const TensorDescription* output : {roles.dets, roles.labels, roles.masks}) {
    const std::string name = "its output '" + output->name + "' ";
    if (!usable_sizes(*output)) return name + "has a size that is not in 1.." + std::to_string(kMaxDimension) + ".";
    if (!may_be(output->shape[0], batch))
      return name + "is for a batch of " + std::to_string(output->shape[0]) + ", not " + std::to_string(batch) + ".";
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

ModelContract contract_of(const AssignedRoles& roles) {
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
                          const std::vector<TensorDescription>& outputs, const TensorRoles& stated) {
  const AssignedRoles roles = assign_roles(inputs, outputs, stated);
  std::string problem = input_problem(inputs);
  if (problem.empty()) problem = stated_problem(roles, stated);
  if (problem.empty()) problem = count_problem(roles, outputs);
  if (problem.empty()) problem = sizes_problem(roles);
  if (problem.empty()) return contract_of(roles);
  throw ModelError(model + " is not an RF-DETR segmentation network that can be run: " + problem +
                   table_of(roles, inputs));
}

}  // namespace rfseg::network
