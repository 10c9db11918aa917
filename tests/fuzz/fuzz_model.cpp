// What a model's file says about itself: the reader of the wire format on any bytes, and the contract on any tensors.
#include "input.hpp"

#include "network/export_contract.hpp"
#include "network/model_contract.hpp"
#include "network/onnx/model_file.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <array>

using namespace rfseg;
using network::TensorDescription;

namespace {

std::string any_name(fuzz::Input& in) {
  static constexpr std::array kNames = {"input",      "images", "dets",       "labels", "masks",
                                        "pred_boxes", "logits", "pred_masks", ""};
  const std::uint8_t which = in.byte() % 16;
  return which < kNames.size() ? kNames[which] : in.text(which % 4U);
}

TensorDescription any_tensor(fuzz::Input& in) {
  static constexpr std::array<std::int64_t, 12> kLengths = {-1, 0, 1, 2, 3, 4, 5, 6, 8, 100, INT32_MAX, INT64_MIN};
  TensorDescription tensor;
  tensor.name = any_name(in);
  const std::uint8_t kind = in.byte();
  tensor.type = static_cast<network::ElementType>(kind % 8 < 6 ? 0 : kind % 8 - 5);
  for (int rank = kind / 8 % 6; rank > 0; --rank) {
    const std::uint8_t length = in.byte() % 14;
    tensor.shape.push_back(length < kLengths.size() ? kLengths[length] : in.take<std::int64_t>());
  }
  return tensor;
}

std::vector<TensorDescription> any_tensors(fuzz::Input& in) {
  std::vector<TensorDescription> tensors(in.byte() % 6U);
  for (TensorDescription& tensor : tensors) tensor = any_tensor(in);
  return tensors;
}

const TensorDescription& named(const std::vector<TensorDescription>& tensors, const std::string& name) {
  for (const TensorDescription& tensor : tensors)
    if (tensor.name == name) return tensor;
  throw fuzz::BrokenPromise("a tensor of the contract is one of the network's");
}

void check_contract(const std::vector<TensorDescription>& inputs, const std::vector<TensorDescription>& outputs,
                    const network::TensorRoles& stated) {
  const network::ModelContract contract = network::match_model("x.onnx", inputs, outputs, stated);
  fuzz::require(contract.batch >= 0, "a batch is a number of images");
  fuzz::require(contract.network_size.height > 0 && contract.network_size.width > 0, "the input has pixels");
  fuzz::require(named(inputs, contract.input).shape.size() == 4, "the input has four dimensions");
  fuzz::require(named(outputs, contract.dets).shape.size() == 3, "boxes have three");
  fuzz::require(named(outputs, contract.labels).shape.size() == 3, "labels have three");
  fuzz::require(named(outputs, contract.masks).shape.size() == 4, "masks have four");
  const auto is_dets = [&](const TensorDescription& output) { return output.name == contract.dets; };
  fuzz::require(contract.dets != contract.labels || std::count_if(outputs.begin(), outputs.end(), is_dets) > 1,
                "no tensor plays two parts");
  fuzz::require(contract.queries >= 0 && contract.columns >= 0, "lengths are 0 until they are known");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  fuzz::Input in(data, size);
  try {
    if (in.coin()) {
      const network::onnx::ModelFile file = network::onnx::read_model_file(folder.write("model.onnx", in.rest()));
      check_contract(file.inputs, file.outputs, {});
    } else {
      network::TensorRoles stated;
      if (in.byte() % 4 == 0) stated = {any_name(in), any_name(in), any_name(in), any_name(in)};
      const std::vector<TensorDescription> inputs = any_tensors(in);
      check_contract(inputs, any_tensors(in), stated);
    }
  } catch (const Error&) {
  }
  return 0;
}
