// Which sets of tensors are recognised as an RF-DETR segmentation network, and what is said about the others.
#include "doctest.h"

#include "network/model_contract.hpp"

#include <rfseg/error.hpp>

#include <algorithm>
#include <utility>

using rfseg::network::ElementType;
using rfseg::network::match_model;
using rfseg::network::ModelContract;
using rfseg::network::TensorDescription;

namespace {

using Tensors = std::vector<TensorDescription>;
using Shape = std::vector<std::int64_t>;

TensorDescription tensor(const std::string& name, Shape shape) {
  return {name, ElementType::float32, "float32", std::move(shape)};
}

TensorDescription typed(TensorDescription tensor, ElementType type, const std::string& name) {
  tensor.type = type;
  tensor.type_name = name;
  return tensor;
}

// Not square, so that a height taken for a width is noticed.
const TensorDescription kInput = tensor("input", {1, 3, 312, 384});
const TensorDescription kDets = tensor("dets", {1, 100, 4});
const TensorDescription kLabels = tensor("labels", {1, 100, 91});
const TensorDescription kMasks = tensor("masks", {1, 100, 78, 96});

ModelContract match(const Tensors& outputs, const TensorDescription& input = kInput) {
  return match_model("m.onnx", {input}, outputs);
}

/// What is said about these tensors; fails when they are recognised.
std::string refusal(const Tensors& outputs, const Tensors& inputs = {kInput}) {
  try {
    match_model("m.onnx", inputs, outputs);
  } catch (const rfseg::ModelError& error) {
    return error.what();
  }
  FAIL("recognised");
  return "";
}

/// The sentence between the model's name and the table.
std::string reason(const Tensors& outputs, const Tensors& inputs = {kInput}) {
  const std::string text = refusal(outputs, inputs);
  const std::string start = "m.onnx is not an RF-DETR segmentation network that can be run: ";
  REQUIRE(text.rfind(start, 0) == 0);
  return text.substr(start.size(), text.find('\n') - start.size());
}

std::string input_reason(const TensorDescription& input) { return reason({kDets, kLabels, kMasks}, {input}); }

}  // namespace

TEST_CASE("model contract: the outputs may come in any order") {
  Tensors outputs = {kDets, kLabels, kMasks};
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  int orders = 0;
  do {
    const ModelContract c = match(outputs);
    CHECK(c.input == "input");
    CHECK(c.dets == "dets");
    CHECK(c.labels == "labels");
    CHECK(c.masks == "masks");
    CHECK(c.network_size == rfseg::ImageSize{312, 384});
    CHECK(c.mask_size == rfseg::ImageSize{78, 96});
    CHECK(c.queries == 100);
    CHECK(c.columns == 91);
    CHECK(c.complete());
    CHECK(c.batch == 1);
    ++orders;
  } while (std::next_permutation(outputs.begin(), outputs.end(), by_name));
  CHECK(orders == 6);
}

TEST_CASE("model contract: rank and last dimension decide where names do not") {
  const ModelContract c = match({tensor("7", {1, 9, 3}), tensor("8", {1, 9, 78, 96}), tensor("9", {1, 9, 4})});
  CHECK(c.labels == "7");
  CHECK(c.masks == "8");
  CHECK(c.dets == "9");
  CHECK(c.columns == 3);

  SUBCASE("shapes overrule names that contradict them") {
    const ModelContract swapped = match({tensor("dets", {1, 100, 7}), tensor("labels", {1, 100, 4}), kMasks});
    CHECK(swapped.dets == "labels");
  }
}

TEST_CASE("model contract: names decide where both have four columns") {
  for (const bool dets_first : {true, false}) {
    Tensors outputs = {kDets, tensor("labels", {1, 100, 4}), kMasks};
    if (!dets_first) std::swap(outputs[0], outputs[1]);
    const ModelContract c = match(outputs);
    CHECK(c.dets == "dets");
    CHECK(c.labels == "labels");
    CHECK(c.columns == 4);
  }
  CHECK(reason({tensor("a", {1, 100, 4}), tensor("b", {1, 100, 4}), kMasks}) ==
        "which of 'a' and 'b' is dets is ambiguous, both may have 4 columns: name the outputs dets and labels.");
}

TEST_CASE("model contract: sizes that the file leaves open are 0 until they are known") {
  const TensorDescription open_input = tensor("input", {-1, 3, 312, 384});
  const ModelContract c = match(
      {tensor("dets", {-1, -1, 4}), tensor("labels", {-1, -1, 91}), tensor("masks", {-1, -1, -1, -1})}, open_input);
  CHECK(c.batch == 0);
  CHECK(c.queries == 0);
  CHECK(c.columns == 91);
  CHECK(c.mask_size == rfseg::ImageSize{0, 0});
  CHECK_FALSE(c.complete());
  CHECK(match({kDets, kLabels, kMasks}, open_input).complete());

  SUBCASE("one output that says Q is enough") {
    CHECK(match({tensor("dets", {1, -1, 4}), kLabels, kMasks}).queries == 100);
  }
  SUBCASE("an open last dimension may be the four columns of a box") {
    CHECK(match({tensor("a", {1, 100, 91}), tensor("b", {1, 100, -1}), kMasks}).dets == "b");
    CHECK(match({tensor("a", {1, 100, -1}), tensor("b", {1, 100, 4}), kMasks}).dets == "b");
    CHECK(match({tensor("labels", {1, 100, -1}), tensor("dets", {1, 100, -1}), kMasks}).columns == 0);
    CHECK(reason({tensor("a", {1, 100, -1}), tensor("b", {1, 100, -1}), kMasks}).find("ambiguous") !=
          std::string::npos);
  }
}

TEST_CASE("model contract: float16 is kept per tensor, other types are refused") {
  const auto half = [](const TensorDescription& t) { return typed(t, ElementType::float16, "float16"); };
  const ModelContract c = match({kDets, half(kLabels), kMasks}, half(kInput));
  CHECK(c.input_type == ElementType::float16);
  CHECK(c.dets_type == ElementType::float32);
  CHECK(c.labels_type == ElementType::float16);
  CHECK(c.masks_type == ElementType::float32);
  CHECK(input_reason(typed(kInput, ElementType::other, "uint8")) == "its input is uint8, not float32 or float16.");
  CHECK(reason({kDets, kLabels, typed(kMasks, ElementType::other, "bool")}) ==
        "its output 'masks' is bool, not float32 or float16.");
}

TEST_CASE("model contract: inputs that are refused") {
  CHECK(reason({kDets, kLabels, kMasks}, {}) == "it has 0 inputs, not one.");
  CHECK(reason({kDets, kLabels, kMasks}, {kInput, tensor("orig_size", {1, 2})}) == "it has 2 inputs, not one.");
  const char* no_image = "its input is not a batch of images with 3 channels.";
  for (const Shape& shape : {Shape{3, 312, 384}, Shape{1, 312, 384, 3}, Shape{1, 4, 312, 384}, Shape{1, -1, 312, 384},
                             Shape{1, 3, 312, 384, 1}, Shape{}, Shape{1, 3, 0, 384}, Shape{1, 3, 312, 1 << 20}})
    CHECK(input_reason(tensor("input", shape)) == no_image);
  CHECK(input_reason(tensor("input", {2, 3, 312, 384})) == "its output 'dets' is for a batch of 1, not 2.");
  const char* open = "its image size is open: export it again with a fixed height and width.";
  CHECK(input_reason(tensor("input", {1, 3, -1, 384})) == open);
  CHECK(input_reason(tensor("input", {1, 3, 312, -1})) == open);
}

TEST_CASE("model contract: sets of outputs that are refused") {
  const char* no_masks =
      "no output of rank 4 holds masks: export a segmentation variant (RFDETRSeg...), not a detection one.";
  CHECK(reason({kDets, kLabels}) == no_masks);
  CHECK(reason({}) == no_masks);
  CHECK(reason({kDets, kLabels, tensor("masks", {1, 100, 6084})}) == no_masks);
  CHECK(reason({kDets, kLabels, tensor("keypoints", {1, 100, 17, 3})}) ==
        "it finds keypoints, not masks: export a segmentation variant (RFDETRSeg...).");
  const std::string names = " outputs, not three, and their names do not say which are dets, labels and masks.";
  CHECK(reason({kDets, tensor("x", {1, 100, 91}), kMasks, tensor("scores", {1, 100, 2})}) == "it has 4" + names);
  CHECK(reason({kDets, kMasks}) == "it has 2" + names);
  CHECK(reason({kDets, kLabels, tensor("1", {1, 100, 78, 96}), tensor("2", {1, 100, 78, 96})}) ==
        "which of '1' and '2' is masks is ambiguous: name it masks.");
  CHECK(reason({kDets, kMasks, tensor("more", {1, 100, 78, 96})}) ==
        "its outputs are not two of rank 3 and one of rank 4.");
  CHECK(reason({tensor("dets", {1, 100, 5}), kLabels, kMasks}) ==
        "no other output of rank 3 has the 4 columns of a box.");
}

TEST_CASE("model contract: sizes that are refused") {
  CHECK(reason({kDets, tensor("labels", {2, 100, 91}), kMasks}) == "its output 'labels' is for a batch of 2, not 1.");
  CHECK(reason({kDets, kLabels, tensor("masks", {1, 100, 0, 96})}) ==
        "its output 'masks' has a size that is not in 1..65536.");
  CHECK(reason({tensor("dets", {1, 65537, 4}), kLabels, kMasks}) ==
        "its output 'dets' has a size that is not in 1..65536.");
  const char* uneven = "its outputs disagree about the number of queries Q.";
  CHECK(reason({kDets, kLabels, tensor("masks", {1, 99, 78, 96})}) == uneven);
  CHECK(reason({kDets, tensor("labels", {1, 99, 91}), kMasks}) == uneven);
  CHECK(reason({tensor("dets", {1, -1, 4}), tensor("labels", {1, 99, 91}), kMasks}) == uneven);
  CHECK(reason({kDets, kLabels, tensor("unnamed", {1, 100, 17, 3})}) ==
        "its mask grid does not have the proportions of its input, so it does not cover the image.");
}

TEST_CASE("model contract: a refusal shows a table of what was expected and found") {
  CHECK(refusal({kDets, tensor("labels", {-1, 99, 91}), kMasks, typed(tensor("7", {}), ElementType::other, "int64")}) ==
        "m.onnx is not an RF-DETR segmentation network that can be run: its outputs disagree about the number of "
        "queries Q.\n"
        "  tensor | expected                       | found\n"
        "  input  | [B, 3, Hn, Wn] float32/16      | 'input' [1, 3, 312, 384] float32\n"
        "  dets   | [B, Q, 4] float32/16           | 'dets' [1, 100, 4] float32\n"
        "  labels | [B, Q, C] float32/16           | 'labels' [?, 99, 91] float32\n"
        "  masks  | [B, Q, Hm, Wm] float32/16      | 'masks' [1, 100, 78, 96] float32\n"
        "  output | -                              | '7' [] int64\n"
        "  (B: 1 or any other number of images; ? is a size that the file leaves open)");
  const std::string two_inputs = refusal({kDets}, {kInput, tensor("size", {2})});
  CHECK(two_inputs.find("\n  input  | -                              | 'size' [2] float32\n") != std::string::npos);
  CHECK(two_inputs.find("\n  labels | [B, Q, C] float32/16           | -\n") != std::string::npos);
  CHECK(two_inputs.find("\n  dets   | [B, Q, 4] float32/16           | 'dets' [1, 100, 4] float32\n") !=
        std::string::npos);
}

TEST_CASE("model contract: names and statements win over counting") {
  const TensorDescription scores = tensor("scores", {1, 100}), more = tensor("enc_dets", {1, 100, 4});
  const ModelContract c = match({more, kDets, scores, kLabels, kMasks});
  CHECK(c.dets == "dets");
  CHECK(c.labels == "labels");
  const ModelContract transformers =
      match({tensor("logits", {1, 100, 4}), tensor("pred_boxes", {1, 100, 4}), tensor("pred_masks", {1, 100, 78, 96})});
  CHECK(transformers.dets == "pred_boxes");
  CHECK(transformers.labels == "logits");
  CHECK(transformers.masks == "pred_masks");
  const Tensors four = {tensor("a", {1, 100, 4}), tensor("b", {1, 100, 4}), kMasks};
  CHECK(match_model("m.onnx", {kInput}, four, {"input", "b", "a", "masks"}).dets == "b");
  CHECK_THROWS_AS(match_model("m.onnx", {kInput}, four, {"input", "b", "c", "masks"}), rfseg::ModelError);
  CHECK_THROWS_AS(match_model("m.onnx", {kInput}, four, {"image", "b", "a", "masks"}), rfseg::ModelError);
}

TEST_CASE("model contract: a fixed batch is known") {
  CHECK(match({tensor("dets", {4, 100, 4}), tensor("labels", {4, 100, 91}), tensor("masks", {4, 100, 78, 96})},
              tensor("input", {4, 3, 312, 384}))
            .batch == 4);
}

TEST_CASE("model contract: tensors that are stated have the ranks of their parts") {
  const rfseg::network::TensorRoles stated = {"", "a", "b", "c"};
  const Tensors right = {tensor("a", {1, 9, 4}), tensor("b", {1, 9, 5}), tensor("c", {1, 9, 78, 96})};
  CHECK(match_model("m.onnx", {kInput}, right, stated).queries == 9);
  for (std::size_t wrong = 0; wrong < right.size(); ++wrong) {
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 9}}) {
      Tensors outputs = right;
      outputs[wrong].shape = shape;
      CHECK_THROWS_AS(match_model("m.onnx", {kInput}, outputs, stated), rfseg::ModelError);
    }
  }
}
