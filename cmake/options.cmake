# Language level, warnings, sanitizers, fast linking.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(SIGHTLINE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them (address,undefined / thread)")
option(SIGHTLINE_FUZZ "Build the libFuzzer targets (clang)" OFF)

add_library(sightline_options INTERFACE)
target_compile_options(sightline_options INTERFACE
  -pthread  # everywhere alike: it decides whether the precompiled header fits
  -ffp-contract=off  # no fused multiply-add behind our back: the simulator's truth is the same on every machine
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-unused-private-field>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict>)
target_include_directories(sightline_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(SIGHTLINE_SANITIZE)
  target_compile_options(sightline_options INTERFACE -fsanitize=${SIGHTLINE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(sightline_options INTERFACE -fsanitize=${SIGHTLINE_SANITIZE})
endif()
if(SIGHTLINE_FUZZ)
  target_compile_options(sightline_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_program(SIGHTLINE_MOLD mold)
if(SIGHTLINE_MOLD AND NOT CMAKE_CROSSCOMPILING)
  add_link_options(-fuse-ld=mold)
endif()
