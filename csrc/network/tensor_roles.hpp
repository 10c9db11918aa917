// Which of a network's tensors is which: by what is stated, by name, by shape, in this order. Judges nothing.
#pragma once

#include "network/model_contract.hpp"

#include <vector>

namespace rfseg::network {

constexpr std::int64_t kOpen = -1;

/// Which tensor plays which part; null when none does.
struct AssignedRoles {
  const TensorDescription* input = nullptr;
  const TensorDescription* dets = nullptr;
  const TensorDescription* labels = nullptr;
  const TensorDescription* masks = nullptr;
  std::vector<const TensorDescription*> others;  ///< outputs without a part
  bool named = false;                            ///< dets and labels are known by name or by what is stated
  bool masks_named = false;                      ///< and so are masks
};

inline bool may_be(std::int64_t dimension, std::int64_t wanted) { return dimension == kOpen || dimension == wanted; }

/// The pointers are into `inputs` and `outputs`.
AssignedRoles assign_roles(const std::vector<TensorDescription>& inputs, const std::vector<TensorDescription>& outputs,
                           const TensorRoles& stated);

}  // namespace rfseg::network
