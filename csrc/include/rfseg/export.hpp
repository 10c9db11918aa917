// Marks what leaves the shared library. Everything else is hidden.
#pragma once

#define RFSEG_API __attribute__((visibility("default")))
