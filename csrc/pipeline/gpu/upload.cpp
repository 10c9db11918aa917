// Chooses the way by the memory that the frame is in, and shares out what the host copies.
#include "pipeline/gpu/upload.hpp"

#include "cuda/pointer.hpp"
#include "host/streaming_copy.hpp"
#include "raster/resize/packed_rows.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <string>

namespace rfseg::pipeline {

namespace {

constexpr std::size_t kPieceBytes = 1 << 17;    // what one thread copies at a time
constexpr std::size_t kSectionBytes = 1 << 20;  // at least, of what is uploaded while the rest is copied
constexpr std::size_t kSections = 8;            // at most: each costs the calling thread a few microseconds
constexpr std::size_t kSectionsInARow = 2;      // while the device has other frames to work on

DeviceAddress address_of(const ImageView& frame) { return reinterpret_cast<DeviceAddress>(frame.data); }

bool is_packed(const ImageView& frame) {
  return raster::has_packed_rows(frame) && frame.row_bytes == std::ptrdiff_t{3} * frame.width;
}

bool is_pinned(const cuda::Stream& stream, const ImageView& frame) {
  return is_packed(frame) &&
         cuda::describe_address(stream.driver(), address_of(frame)).kind == cuda::AddressKind::pinned;
}

void expect_device(const cuda::Stream& stream, const ImageView& frame) {
  const cuda::AddressInfo info = cuda::describe_address(stream.driver(), address_of(frame));
  const int ours = stream.device()->info().ordinal;
  if (info.kind == cuda::AddressKind::device && info.device != ours)
    throw InputError("the frame is on cuda:" + std::to_string(info.device) + ", the Segmenter on cuda:" +
                     std::to_string(ours) + ": copy the frame there, or open a Segmenter on its device");
  if (info.kind == cuda::AddressKind::ordinary)
    throw InputError("the frame is said to be in device memory, but the driver knows no such memory");
}

void gather(const GpuModel& model, const ImageView& frame, const Place& place) {
  const cuda::Stream& stream = place.stream();
  expect_device(stream, frame);
  if (raster::is_planar(frame.format))
    throw InputError(
        "the frame's planes are in device memory, where only packed pixels are read: copy them to the host");
  if (frame.producer_stream) {
    // Producer: whoever fills the frame. Consumer: this stream. Without the wait it would read pixels not written yet.
    place.arrived().enqueue_record(reinterpret_cast<cuda::StreamHandle>(*frame.producer_stream));
    stream.enqueue_wait(place.arrived());
  }
  const std::int64_t programs = kernel_abi::resize_grid(model.device->info().multiprocessors);
  model.kernels.gather.enqueue(stream, {static_cast<unsigned>(programs)}, address_of(frame), frame.row_bytes,
                               frame.pixel_bytes, frame.channel_bytes, frame.height, frame.width,
                               place.source().address());
}

void copy_rows(const ImageView& frame, int first, int end, std::uint8_t* pixels) {
  const std::size_t row_bytes = raster::packed_bytes({1, frame.width});
  if (is_packed(frame)) {  // at once: row by row the same bytes took a quarter longer
    host::copy_streaming(pixels, frame.data + first * frame.row_bytes,
                         static_cast<std::size_t>(end - first) * row_bytes);
    return;
  }
  for (int y = first; y < end; ++y, pixels += row_bytes) {
    if (raster::has_packed_rows(frame)) {
      host::copy_streaming(pixels, frame.data + y * frame.row_bytes, row_bytes);
    } else {
      raster::pack_row(frame, y, pixels);
    }
  }
}

/// The crew only copies: the driver takes one call at a time, so calls from every thread would queue up behind each
/// other. What is copied is uploaded while the crew copies on.
void copy_by_sections(const ImageView& frame, Place& place, host::Crew& crew, bool in_a_row) {
  const cuda::Stream& stream = place.stream();
  const std::size_t row_bytes = raster::packed_bytes({1, frame.width});
  const std::size_t frame_bytes = raster::packed_bytes({frame.height, frame.width});
  place.upload().reserve(frame_bytes);
  const int piece_rows = static_cast<int>(std::max<std::size_t>(1, kPieceBytes / row_bytes));
  const int pieces = (frame.height + piece_rows - 1) / piece_rows;
  const std::size_t section_bytes = std::max(kSectionBytes, frame_bytes / (in_a_row ? kSectionsInARow : kSections));
  const auto pixels = reinterpret_cast<std::uint8_t*>(place.upload()->data());
  const auto end_of = [&](int piece) { return std::min((piece + 1) * piece_rows, frame.height); };
  const auto at = [&](int row) { return pixels + static_cast<std::size_t>(row) * row_bytes; };
  int sent_rows = 0;
  crew.split(
      pieces, [&](int piece) { copy_rows(frame, piece * piece_rows, end_of(piece), at(piece * piece_rows)); },
      [&](int piece) {
        const int rows = end_of(piece) - sent_rows;
        const std::size_t bytes = static_cast<std::size_t>(rows) * row_bytes;
        if (bytes < section_bytes && piece + 1 < pieces) return;
        cuda::enqueue_copy(stream, place.source(), static_cast<std::size_t>(sent_rows) * row_bytes, at(sent_rows),
                           bytes);
        sent_rows += rows;
      },
      host::Crew::Turn::first);
}

}  // namespace

bool enqueue_upload(const GpuModel& model, const ImageView& given, Place& place, host::Crew& crew, bool in_a_row) {
  const ImageView frame = given.memory == MemoryKind::host ? raster::forward_channels(given) : given;
  place.format = raster::packed_format(frame.format);
  bool read_on = true;
  if (frame.memory == MemoryKind::device) {
    gather(model, frame, place);
  } else if (is_pinned(place.stream(), frame)) {
    cuda::enqueue_copy(place.stream(), place.source(), 0, frame.data,
                       raster::packed_bytes({frame.height, frame.width}));
  } else {
    copy_by_sections(frame, place, crew, in_a_row);
    read_on = false;
  }
  place.stream().enqueue_record(place.arrived());
  return read_on;
}

}  // namespace rfseg::pipeline
