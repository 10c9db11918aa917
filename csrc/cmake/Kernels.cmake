# Compiles the Triton kernels ahead of time, or takes the images of a source distribution, and embeds them. Defines the
# target rfseg_kernels: its objects hold kernels.bin between rfseg_kernels_begin and rfseg_kernels_end, and whoever
# links it can include kernel_abi.hpp. Knows nothing of CUDA: no toolkit and no driver is needed.

# -DPython_EXECUTABLE chooses another.
find_package(Python COMPONENTS Interpreter REQUIRED)

set(kernel_sources ${PROJECT_SOURCE_DIR}/triton_kernels)
set(kernel_images ${kernel_sources}/prebuilt/kernels.bin)
set(kernel_header_dir ${kernel_sources}/prebuilt)

# In a checkout they would be left over from making one, and older than the sources.
if(NOT RFSEG_GPU)
  set(kernel_header_dir ${CMAKE_CURRENT_BINARY_DIR}/kernels)
  set(kernel_images ${kernel_header_dir}/none.bin)
  file(WRITE ${kernel_images} "")
  file(GLOB kernel_modules CONFIGURE_DEPENDS ${kernel_sources}/*.py)
  add_custom_command(
    OUTPUT ${kernel_header_dir}/kernel_abi.hpp
    COMMAND ${Python_EXECUTABLE} -m triton_kernels.build --header ${kernel_header_dir}/kernel_abi.hpp
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DEPENDS ${kernel_modules}
    VERBATIM)
elseif(NOT EXISTS ${PROJECT_SOURCE_DIR}/PKG-INFO OR NOT EXISTS ${kernel_images})
  set(kernel_header_dir ${CMAKE_CURRENT_BINARY_DIR}/kernels)
  set(kernel_images ${kernel_header_dir}/kernels.bin)
  file(GLOB kernel_modules CONFIGURE_DEPENDS ${kernel_sources}/*.py)
  add_custom_command(
    OUTPUT ${kernel_images} ${kernel_header_dir}/kernel_abi.hpp
    COMMAND ${Python_EXECUTABLE} -m triton_kernels.build --out ${kernel_header_dir}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DEPENDS ${kernel_modules}
    COMMENT "Compiling GPU kernels"
    VERBATIM)
endif()

# An assembler directive embeds 1.5 MB in no time and leaves it read-only; an array in C++ takes seconds.
set(kernel_blob ${CMAKE_CURRENT_BINARY_DIR}/kernels_blob.S)
file(CONFIGURE OUTPUT ${kernel_blob} @ONLY CONTENT [[
    .section .rodata.rfseg_kernels, "a", %progbits
    .balign 64
    .hidden rfseg_kernels_begin
    .hidden rfseg_kernels_end
    .global rfseg_kernels_begin
    .global rfseg_kernels_end
rfseg_kernels_begin:
    .incbin "@kernel_images@"
rfseg_kernels_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
]])
set_source_files_properties(${kernel_blob} PROPERTIES OBJECT_DEPENDS ${kernel_images})

enable_language(ASM)
add_library(rfseg_kernels OBJECT ${kernel_blob} ${kernel_header_dir}/kernel_abi.hpp)
target_include_directories(rfseg_kernels INTERFACE ${kernel_header_dir})
set_target_properties(rfseg_kernels PROPERTIES LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON)
