// Chooses the way by the memory that the frame is in, and shares out what the host copies.
#include "pipeline/gpu/upload.hpp"

#include "cuda/pointer.hpp"
#include "host/streaming_copy.hpp"
#include "raster/resize/packed_rows.hpp"

#include <rfseg/error.hpp>

#include <kernel_abi.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace rfseg::pipeline {

namespace {

constexpr std::size_t kPieceBytes = 1 << 17;    // what one thread copies at a time
constexpr std::size_t kSectionBytes = 1 << 20;  // at least, of what is uploaded while the rest is copied
constexpr std::size_t kSections = 8;            // at most: each costs the calling thread a few microseconds
constexpr std::size_t kSectionsInARow = 2;      // while the device has other frames to work on

DeviceAddress address_of(const std::uint8_t* data) { return reinterpret_cast<DeviceAddress>(data); }

bool has_rows(const ImageView& frame) { return raster::is_planar(frame.format) || raster::has_packed_rows(frame); }

/// True when the bytes of every part lie in the caller's memory as they shall lie on the device.
bool is_packed(const ImageView& frame, const FrameLayout& layout) {
  bool packed = has_rows(frame);
  for (int i = 0; i < layout.parts(); ++i)
    packed = packed && raster::plane_of(frame, i).row_bytes == static_cast<std::ptrdiff_t>(layout.part(i).row_bytes);
  return packed;
}

bool is_pinned(const cuda::Stream& stream, const ImageView& frame, const FrameLayout& layout) {
  bool pinned = is_packed(frame, layout);
  for (int i = 0; pinned && i < layout.parts(); ++i)
    pinned = cuda::describe_address(stream.driver(), address_of(raster::plane_of(frame, i).data)).kind ==
             cuda::AddressKind::pinned;
  return pinned;
}

void expect_device(const cuda::Stream& stream, const std::uint8_t* data) {
  const cuda::AddressInfo info = cuda::describe_address(stream.driver(), address_of(data));
  const int ours = stream.device()->info().ordinal;
  if (info.kind == cuda::AddressKind::device && info.device != ours)
    throw InputError("the frame is on cuda:" + std::to_string(info.device) + ", the Segmenter on cuda:" +
                     std::to_string(ours) + ": copy the frame there, or open a Segmenter on its device");
  if (info.kind == cuda::AddressKind::ordinary)
    throw InputError("the frame is said to be in device memory, but the driver knows no such memory");
}

void gather(const GpuModel& model, const ImageView& frame, const Place& place) {
  const cuda::Stream& stream = place.stream();
  const FrameLayout& layout = place.layout();
  for (int i = 0; i < layout.parts(); ++i) expect_device(stream, raster::plane_of(frame, i).data);
  if (frame.producer_stream) {
    // Producer: whoever fills the frame. Consumer: this stream. Without the wait it would read pixels not written yet.
    place.arrived().enqueue_record(reinterpret_cast<cuda::StreamHandle>(*frame.producer_stream));
    stream.enqueue_wait(place.arrived());
  }
  const auto programs = static_cast<unsigned>(kernel_abi::resize_grid(model.device->info().multiprocessors));
  const DeviceAddress target = place.source().address();
  if (!raster::is_planar(frame.format)) {
    model.kernels.gather.enqueue(stream, {programs}, address_of(frame.data), frame.row_bytes, frame.pixel_bytes,
                                 frame.channel_bytes, frame.height, frame.width, target);
    return;
  }
  for (int i = 0; i < layout.parts(); ++i) {
    const Plane plane = raster::plane_of(frame, i);
    const FramePart& part = layout.part(i);
    model.kernels.gather_rows.enqueue(stream, {programs}, address_of(plane.data), plane.row_bytes,
                                      static_cast<std::int32_t>(part.row_bytes), part.rows, target + part.offset);
  }
}

/// What one thread copies at a time.
struct Piece {
  int part, first, end;    ///< rows of a part
  std::size_t from, till;  ///< bytes of the frame, as it lies on the device
};

std::vector<Piece> pieces_of(const FrameLayout& layout) {
  std::vector<Piece> pieces;
  for (int i = 0; i < layout.parts(); ++i) {
    const FramePart& part = layout.part(i);
    const int rows = static_cast<int>(std::max<std::size_t>(1, kPieceBytes / part.row_bytes));
    for (int first = 0; first < part.rows; first += rows) {
      const int end = std::min(first + rows, part.rows);
      const auto byte = [&](int row) { return part.offset + static_cast<std::size_t>(row) * part.row_bytes; };
      pieces.push_back({i, first, end, byte(first), byte(end)});
    }
  }
  return pieces;
}

void copy_rows(const ImageView& frame, const Piece& piece, std::size_t row_bytes, std::uint8_t* pixels) {
  const Plane rows = raster::plane_of(frame, piece.part);
  if (has_rows(frame) && rows.row_bytes == static_cast<std::ptrdiff_t>(row_bytes)) {
    // At once: row by row the same bytes took a quarter longer.
    host::copy_streaming(pixels, rows.data + piece.first * rows.row_bytes, piece.till - piece.from);
    return;
  }
  for (int y = piece.first; y < piece.end; ++y, pixels += row_bytes) {
    if (has_rows(frame)) {
      host::copy_streaming(pixels, rows.data + y * rows.row_bytes, row_bytes);
    } else {
      raster::pack_row(frame, y, pixels);
    }
  }
}

/// The crew only copies: the driver takes one call at a time, so calls from every thread would queue up behind each
/// other. What is copied is uploaded while the crew copies on.
void copy_by_sections(const ImageView& frame, Place& place, host::Crew& crew, bool in_a_row) {
  const FrameLayout& layout = place.layout();
  place.upload().reserve(layout.bytes());
  const std::vector<Piece> pieces = pieces_of(layout);
  const std::size_t section_bytes = std::max(kSectionBytes, layout.bytes() / (in_a_row ? kSectionsInARow : kSections));
  const auto pixels = reinterpret_cast<std::uint8_t*>(place.upload()->data());
  std::size_t sent = 0;
  crew.split(
      static_cast<int>(pieces.size()),
      [&](int i) {
        const Piece& piece = pieces[static_cast<std::size_t>(i)];
        copy_rows(frame, piece, layout.part(piece.part).row_bytes, pixels + piece.from);
      },
      [&](int i) {
        const std::size_t till = pieces[static_cast<std::size_t>(i)].till;
        if (till - sent < section_bytes && static_cast<std::size_t>(i) + 1 < pieces.size()) return;
        cuda::enqueue_copy(place.stream(), place.source(), sent, pixels + sent, till - sent);
        sent = till;
      },
      host::Crew::Turn::first);
}

}  // namespace

bool enqueue_upload(const GpuModel& model, const ImageView& given, Place& place, host::Crew& crew, bool in_a_row) {
  const ImageView frame = given.memory == MemoryKind::host ? raster::forward_channels(given) : given;
  place.expect(frame);
  const FrameLayout& layout = place.layout();
  bool read_on = true;
  if (frame.memory == MemoryKind::device) {
    gather(model, frame, place);
  } else if (is_pinned(place.stream(), frame, layout)) {
    for (int i = 0; i < layout.parts(); ++i) {
      const FramePart& part = layout.part(i);
      cuda::enqueue_copy(place.stream(), place.source(), part.offset, raster::plane_of(frame, i).data,
                         part.end() - part.offset);
    }
  } else {
    copy_by_sections(frame, place, crew, in_a_row);
    read_on = false;
  }
  place.stream().enqueue_record(place.arrived());
  return read_on;
}

}  // namespace rfseg::pipeline
