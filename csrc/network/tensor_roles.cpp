#include "network/tensor_roles.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rfseg::network {

namespace {

using Tensor = const TensorDescription*;
using Names = std::array<std::string_view, 3>;

// rfdetr's own names, transformers', and the roles as rfdetr's contract calls them.
constexpr Names kDetsNames = {"dets", "pred_boxes", "pred_boxes"};
constexpr Names kLabelsNames = {"labels", "logits", "pred_logits"};
constexpr Names kMasksNames = {"masks", "pred_masks", "pred_masks"};

bool may_be_boxes(const TensorDescription& tensor) {
  return tensor.shape.size() == 3 && may_be(tensor.shape.back(), 4);
}

class Assignment {
 public:
  Assignment(const std::vector<TensorDescription>& outputs, AssignedRoles& roles) : roles_(roles) {
    for (const TensorDescription& output : outputs) rest_.push_back(&output);
  }

  void by_statement(const TensorRoles& stated) {
    if (!stated.dets.empty()) roles_.dets = take([&](Tensor t) { return t->name == stated.dets; });
    if (!stated.labels.empty()) roles_.labels = take([&](Tensor t) { return t->name == stated.labels; });
    if (!stated.masks.empty()) roles_.masks = take([&](Tensor t) { return t->name == stated.masks; });
  }

  void by_name() {
    const auto is_one_of = [](const Names& names, std::size_t rank) {
      return [&names, rank](Tensor t) {
        return t->shape.size() == rank && std::find(names.begin(), names.end(), t->name) != names.end();
      };
    };
    if (roles_.masks == nullptr) roles_.masks = take(is_one_of(kMasksNames, 4));
    if (roles_.dets == nullptr)
      roles_.dets = take([&](Tensor t) { return is_one_of(kDetsNames, 3)(t) && may_be_boxes(*t); });
    // A name that contradicts the shapes is worth nothing: without boxes under their name, these may be the boxes.
    if (roles_.labels == nullptr)
      roles_.labels = take(
          [&](Tensor t) { return is_one_of(kLabelsNames, 3)(t) && (roles_.dets != nullptr || !may_be_boxes(*t)); });
    roles_.named = roles_.dets != nullptr && roles_.labels != nullptr;
    roles_.masks_named = roles_.masks != nullptr;
  }

  void by_shape() {
    const std::vector<Tensor> grids = of_rank(4);
    if (roles_.masks == nullptr && !grids.empty()) roles_.masks = take([&](Tensor t) { return t == grids.front(); });
    std::vector<Tensor> flat = of_rank(3);
    if (roles_.dets == nullptr && roles_.labels == nullptr) {
      if (flat.size() != 2) return;
      if (in_order(*flat[1], *flat[0])) std::swap(flat[0], flat[1]);
      if (!in_order(*flat[0], *flat[1])) return;
      roles_.dets = take([&](Tensor t) { return t == flat[0]; });
      roles_.labels = take([&](Tensor t) { return t == flat[1]; });
    } else if (flat.size() == 1 && roles_.dets == nullptr && may_be_boxes(*flat[0])) {
      roles_.dets = take([&](Tensor t) { return t == flat[0]; });
    } else if (flat.size() == 1 && roles_.labels == nullptr) {
      roles_.labels = take([&](Tensor t) { return t == flat[0]; });
    }
  }

  const std::vector<Tensor>& rest() const { return rest_; }

 private:
  /// True when `a` is dets and `b` is labels, because the last dimension leaves no other choice.
  static bool in_order(const TensorDescription& a, const TensorDescription& b) {
    if (!may_be_boxes(a)) return false;
    return !may_be_boxes(b) || (a.shape.back() == 4 && b.shape.back() == kOpen);
  }

  template <class Wanted>
  Tensor take(const Wanted& wanted) {
    const auto found = std::find_if(rest_.begin(), rest_.end(), wanted);
    if (found == rest_.end()) return nullptr;
    const Tensor tensor = *found;
    rest_.erase(found);
    return tensor;
  }

  std::vector<Tensor> of_rank(std::size_t rank) const {
    std::vector<Tensor> found;
    std::copy_if(rest_.begin(), rest_.end(), std::back_inserter(found),
                 [rank](Tensor t) { return t->shape.size() == rank; });
    return found;
  }

  AssignedRoles& roles_;
  std::vector<Tensor> rest_;
};

}  // namespace

AssignedRoles assign_roles(const std::vector<TensorDescription>& inputs, const std::vector<TensorDescription>& outputs,
                           const TensorRoles& stated) {
  AssignedRoles roles;
  if (!inputs.empty()) roles.input = &inputs.front();
  Assignment assignment(outputs, roles);
  assignment.by_statement(stated);
  assignment.by_name();
  assignment.by_shape();
  roles.others = assignment.rest();
  return roles;
}

}  // namespace rfseg::network
