# sightline_folder(NAME [LINK target...]) makes, from the files that lie in the folder:
#   x.cc          -> library NAME          x_test.cc  -> one test program NAME_test
#   x_bench.cc    -> program x_bench       x_fuzz.cc  -> program x_fuzz
# so that adding a file needs no build change. LINK names lower rungs and the libraries that this folder wraps.
# A build for fuzzing has the fuzzers and neither tests nor benchmarks; one with sanitizers has no benchmarks.

if(NOT TARGET sightline_pch)
  file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")
  add_library(sightline_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
  target_link_libraries(sightline_pch PUBLIC sightline_options absl::statusor absl::synchronization absl::cleanup fmt::fmt)
  target_precompile_headers(sightline_pch PRIVATE
    <algorithm> <array> <chrono> <cmath> <cstdint> <cstring> <functional> <memory> <optional> <string> <string_view>
    <unordered_map> <utility> <vector> <absl/status/statusor.h> <string_view> <fmt/format.h>
    <absl/types/span.h>)
endif()

# Sanitizers look into libraries that were not built with them; what they cannot know is in the suppression files.
# (report_mutex_bugs=0: of the std::mutex of such a library they may see the unlocking alone.)
set(SIGHTLINE_TEST_ENVIRONMENT
  "ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1"
  "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp:print_suppressions=0:report_mutex_bugs=0")

# Tells the test's programs the environment above; further VARIABLE=VALUE arguments are added.
function(sightline_test_environment test)
  set_property(TEST ${test} PROPERTY ENVIRONMENT ${ARGN})
  if(SIGHTLINE_SANITIZE)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT ${SIGHTLINE_TEST_ENVIRONMENT})
  endif()
endfunction()

function(sightline_target target)
  target_link_libraries(${target} PUBLIC sightline_options absl::statusor absl::synchronization absl::span absl::cleanup fmt::fmt Threads::Threads)
  target_precompile_headers(${target} REUSE_FROM sightline_pch)
  get_target_property(type ${target} TYPE)
  if(SIGHTLINE_SANITIZE MATCHES thread AND type STREQUAL EXECUTABLE)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/tsan_mutex.cc)
  endif()
endfunction()

function(sightline_folder name)
  cmake_parse_arguments(arg "" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(SIGHTLINE_SANITIZE)  # sanitizers have their own operator new, and keep freed memory for a while
    list(FILTER tests EXCLUDE REGEX "/allocation_test\\.cc$")
  endif()
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")

  if(NOT sources)  # headers only
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE sightline_options ${arg_LINK})
  else()
    add_library(${name} STATIC ${sources})
    sightline_target(${name})
    target_link_libraries(${name} PUBLIC ${arg_LINK})
  endif()

  if(tests AND NOT SIGHTLINE_FUZZ)
    add_executable(${name}_test ${tests})
    sightline_target(${name}_test)
    target_link_libraries(${name}_test PRIVATE ${name} ${arg_TEST_LINK} GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 900)
    sightline_test_environment(${name})
  endif()
  if(NOT SIGHTLINE_SANITIZE)
    foreach(file ${benches})
      get_filename_component(program ${file} NAME_WE)
      add_executable(${program} ${file})
      sightline_target(${program})
      target_link_libraries(${program} PRIVATE ${name} benchmark::benchmark)
    endforeach()
  endif()
  if(SIGHTLINE_FUZZ)
    foreach(file ${fuzzers})
      get_filename_component(program ${file} NAME_WE)
      add_executable(${program} ${file})
      sightline_target(${program})
      target_link_libraries(${program} PRIVATE ${name})
      target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
