// The one door: includes the whole public interface.
#pragma once

#include <rfseg/error.hpp>
#include <rfseg/image.hpp>
#include <rfseg/masks.hpp>
#include <rfseg/ops.hpp>
#include <rfseg/options.hpp>
#include <rfseg/result.hpp>
#include <rfseg/segmenter.hpp>
#include <rfseg/ticket.hpp>
#include <rfseg/version.hpp>
