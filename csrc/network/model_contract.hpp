// What an RF-DETR segmentation network must offer, whoever runs it. Refuses anything else with a table of what was
// expected and what was found. Knows no library.
#pragma once

#include <rfseg/image.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace rfseg::network {

enum class ElementType { float32, float16, other };

/// One input or output as a library describes it.
struct TensorDescription {
  std::string name;
  ElementType type = ElementType::other;
  std::string type_name;            ///< as shown to people: "float32", "int64"
  std::vector<std::int64_t> shape;  ///< -1 where the file leaves it open
};

/// The names of the tensors, where somebody states them; "" where nobody does.
struct TensorRoles {
  std::string input, dets, labels, masks;
};

/// A network that was recognised. Sizes that the file leaves open are 0 until they are known.
struct ModelContract {
  std::string input, dets, labels, masks;  ///< tensor names
  ElementType input_type = ElementType::float32;
  ElementType dets_type = ElementType::float32, labels_type = ElementType::float32, masks_type = ElementType::float32;
  int batch = 1;           ///< images a run takes, exactly; 0: any number
  ImageSize network_size;  ///< Hn x Wn
  ImageSize mask_size;     ///< Hm x Wm
  int queries = 0;         ///< Q
  int columns = 0;         ///< C

  bool complete() const { return queries > 0 && columns > 0 && mask_size.height > 0 && mask_size.width > 0; }
};

/// Recognises the network: input [B, 3, Hn, Wn]; outputs dets [B, Q, 4], labels [B, Q, C], masks [B, Q, Hm, Wm], in any
/// order and with others beside them. `stated` decides; then names decide (rfdetr's dets, labels, masks; transformers'
/// pred_boxes, logits, pred_masks); where both say nothing, rank and last dimension do, among three outputs.
/// `model`: the file, for the message.
/// @throws ModelError  with a table of expected and found tensors
ModelContract match_model(const std::string& model, const std::vector<TensorDescription>& inputs,
                          const std::vector<TensorDescription>& outputs, const TensorRoles& stated = {});

}  // namespace rfseg::network
