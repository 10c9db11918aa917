// Lays the geometry's tables out as the kernels read them, and launches the kernels on them.
#include "pipeline/gpu/frame_plan.hpp"

#include "raster/resize/packed_rows.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace rfseg::pipeline {

namespace {

std::string text(ImageSize size) { return std::to_string(size.height) + "x" + std::to_string(size.width); }

/// The result of the pass that runs first.
ImageSize between(const raster::FrameGeometry& geometry) {
  return geometry.vertical_pass_first() ? ImageSize{geometry.network().height, geometry.source().width}
                                        : ImageSize{geometry.source().height, geometry.network().width};
}

std::shared_ptr<const raster::FrameGeometry> checked(std::shared_ptr<const raster::FrameGeometry> geometry) {
  const ImageSize source = geometry->source();
  if (std::max(source.height, source.width) > kernel_abi::kMaxSourceSidePx)
    throw InputError("a frame of " + text(source) + " px is too long for the GPU stages: at most " +
                     std::to_string(kernel_abi::kMaxSourceSidePx) + " px a side");
  return geometry;
}

void append(std::vector<std::int32_t>& table, const std::vector<std::int32_t>& values) {
  table.insert(table.end(), values.begin(), values.end());
}

void append(std::vector<std::int32_t>& table, const std::vector<float>& values) {
  const std::size_t end = table.size();
  table.resize(end + values.size());
  std::memcpy(table.data() + end, values.data(), values.size() * sizeof(float));
}

std::size_t append(std::vector<std::int32_t>& table, const raster::PilAxis& axis) {
  const std::size_t start = table.size();
  append(table, axis.first);
  append(table, axis.count);
  append(table, axis.weight);
  return start;
}

std::size_t append(std::vector<std::int32_t>& table, const raster::BilinearAxis& axis) {
  const std::size_t start = table.size();
  append(table, axis.i0);
  append(table, axis.i1);
  append(table, axis.l0);
  append(table, axis.l1);
  return start;
}

/// A pass that changes nothing: one tap of full weight.
std::size_t append_identity(std::vector<std::int32_t>& table, int length) {
  const std::size_t start = table.size();
  for (int i = 0; i < length; ++i) table.push_back(i);
  table.insert(table.end(), static_cast<std::size_t>(length), 1);
  table.insert(table.end(), static_cast<std::size_t>(length), 1 << raster::PilAxis::kWeightBits);
  return start;
}

std::size_t append_node_rows(std::vector<std::int32_t>& table, const raster::BilinearAxis& axis) {
  const std::size_t start = table.size();
  for (int node = 0; node <= axis.in; ++node) {
    const auto row = std::lower_bound(axis.i0.begin(), axis.i0.end(), node);
    table.push_back(static_cast<std::int32_t>(row - axis.i0.begin()));
  }
  return start;
}

cuda::Grid grid(std::int64_t programs) { return {static_cast<unsigned>(programs)}; }

std::size_t bytes_of(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

std::int64_t mask_programs(const GpuModel& model) {
  return kernel_abi::mask_grid(model.device->info().multiprocessors);
}

int half(network::ElementType type) { return type == network::ElementType::float16 ? 1 : 0; }

}  // namespace

NetworkBuffers::NetworkBuffers(const GpuModel& model, const std::string& slot)
    : input(model.device, model.bytes.input, slot + " network input"),
      dets(model.device, model.bytes.dets, slot + " boxes"),
      labels(model.device, model.bytes.labels, slot + " logits"),
      masks(model.device, model.bytes.masks, slot + " mask logits"),
      selection(model.device, sizeof(kernel_abi::Selection), slot + " selection"),
      nodes(model.device, bytes_of(kernel_abi::mask_nodes_bytes(mask_programs(model), model.contract.mask_size.height)),
            slot + " mask nodes"),
      hand_back(model.device, sizeof(kernel_abi::HandBack), slot + " results") {}

FramePlan::FramePlan(const GpuModel& model, NetworkBuffers& network,
                     std::shared_ptr<const raster::FrameGeometry> geometry, PixelFormat format,
                     const cuda::Stream& stream)
    : model_(model),
      network_(network),
      geometry_(checked(std::move(geometry))),
      format_(format),
      upload_(model.device, raster::packed_bytes(geometry_->source()), "frame upload"),
      source_(model.device, raster::packed_bytes(geometry_->source()), "frame"),
      first_pass_(model.device, raster::packed_bytes(between(*geometry_)), "first resize pass"),
      column_toggles_(model.device,
                      bytes_of(kernel_abi::column_toggles_bytes(model.most_slots, geometry_->source().width)),
                      "run counts"),
      toggles_(model.device, kToggleCapacity * sizeof(std::int32_t), "runs"),
      host_toggles_(model.device, kToggleCapacity * sizeof(std::int32_t), "runs for the host") {
  const std::vector<std::int32_t> tables = build_tables();
  cuda::enqueue_fill(stream, source_, 0);  // the run before the capture reads it
  tables_ = cuda::upload(stream, tables.data(), tables.size() * sizeof(std::int32_t), "frame tables");
}

std::vector<std::int32_t> FramePlan::build_tables() {
  std::vector<std::int32_t> tables;
  if (geometry_->resize() == Resize::pil) {
    at_.resize_x = append(tables, geometry_->pil_x());
    at_.resize_y = append(tables, geometry_->pil_y());
  } else {
    at_.resize_x = append(tables, geometry_->bilinear_x());
    at_.resize_y = append(tables, geometry_->bilinear_y());
  }
  at_.mask_x = append(tables, geometry_->mask_x());
  at_.mask_y = append(tables, geometry_->mask_y());
  at_.node_row = append_node_rows(tables, geometry_->mask_y());
  at_.whole_rows = append_identity(tables, geometry_->source().width);
  return tables;
}

void FramePlan::enqueue_pass(const cuda::Stream& stream, const ResizePass& pass, const DeviceSource& from, bool along_y,
                             ImageSize result, DeviceAddress target) const {
  const raster::PilAxis& axis = along_y ? geometry_->pil_y() : geometry_->pil_x();
  pass.enqueue(stream, grid(kernel_abi::resize_grid(result.height, result.width)), from.data, from.row_bytes,
               from.pixel_bytes, from.channel_bytes, table(along_y ? at_.resize_y : at_.resize_x), axis.taps,
               result.height, result.width, target, model_.normalised.address(), format_ == PixelFormat::bgr8 ? 1 : 0,
               half(model_.contract.input_type));
}

void FramePlan::enqueue_resize(const cuda::Stream& stream) const {
  const bool across = !geometry_->pil_x().identity(), down = !geometry_->pil_y().identity();
  const bool down_first = geometry_->vertical_pass_first();
  DeviceSource from = packed(source_.address(), geometry_->source().width);
  if (across && down) {
    const ImageSize middle = between(*geometry_);
    enqueue_pass(stream, down_first ? model_.kernels.resize_y : model_.kernels.resize_x, from, down_first, middle,
                 first_pass_.address());
    from = packed(first_pass_.address(), middle.width);
  }
  const bool down_last = down && !(across && down_first);  // neither: an identity pass along x normalises
  enqueue_pass(stream, down_last ? model_.kernels.resize_y_final : model_.kernels.resize_x_final, from, down_last,
               geometry_->network(), network_.input.address());
}

void FramePlan::enqueue_preprocess(const cuda::Stream& stream) const {
  if (geometry_->resize() == Resize::pil) return enqueue_resize(stream);
  const ImageSize result = geometry_->network();
  const DeviceSource from = packed(source_.address(), geometry_->source().width);
  model_.kernels.resize_bilinear.enqueue(stream, grid(kernel_abi::resize_grid(result.height, result.width)), from.data,
                                         from.row_bytes, from.pixel_bytes, from.channel_bytes, table(at_.resize_x),
                                         table(at_.resize_y), result.height, result.width, network_.input.address(),
                                         format_ == PixelFormat::bgr8 ? 1 : 0, half(model_.contract.input_type));
}

void FramePlan::enqueue_gather(const cuda::Stream& stream, const DeviceSource& frame) const {
  const ImageSize size = geometry_->source();
  model_.kernels.resize_x.enqueue(stream, grid(kernel_abi::resize_grid(size.height, size.width)), frame.data,
                                  frame.row_bytes, frame.pixel_bytes, frame.channel_bytes, table(at_.whole_rows), 1,
                                  size.height, size.width, source_.address(), model_.normalised.address(), 0, 0);
}

void FramePlan::enqueue_mask_pass(const cuda::Stream& stream, const MaskPass& pass) const {
  const network::ModelContract& contract = model_.contract;
  pass.enqueue(stream, grid(mask_programs(model_)), network_.masks.address(), half(contract.masks_type),
               contract.mask_size.height, contract.mask_size.width, table(at_.mask_x), table(at_.mask_y),
               table(at_.node_row), geometry_->source().height, geometry_->source().width, network_.selection.address(),
               network_.nodes.address(), column_toggles_.address(), toggles_.address(), kToggleCapacity,
               network_.hand_back.address(), host_toggles_.address());
}

void FramePlan::enqueue_postprocess(const cuda::Stream& stream) const {
  const network::ModelContract& contract = model_.contract;
  model_.kernels.select.enqueue(stream, grid(1), network_.labels.address(), half(contract.labels_type),
                                network_.dets.address(), half(contract.dets_type), contract.queries, contract.columns,
                                model_.logit_cut.address(), model_.least_cut, model_.settings.rule.max_detections,
                                network_.selection.address());
  enqueue_mask_pass(stream, model_.kernels.mask_count);
  enqueue_mask_pass(stream, model_.kernels.mask_runs);
}

}  // namespace rfseg::pipeline
