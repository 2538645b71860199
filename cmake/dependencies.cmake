# Everything that is not ours, each as one imported or found target. Only the folder that wraps a library links it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(SIGHTLINE_ARCH arm64)
else()
  set(SIGHTLINE_ARCH x64)
endif()
set(SIGHTLINE_DEPS ${CMAKE_SOURCE_DIR}/.deps/${SIGHTLINE_ARCH})

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
pkg_check_modules(turbojpeg REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(jpeg REQUIRED IMPORTED_TARGET libjpeg)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips)
pkg_check_modules(ffmpeg REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(protobuf REQUIRED IMPORTED_TARGET protobuf)

# ONNX Runtime: ONNXRUNTIME_ROOT, the system's package (Debian 13), or what `./dev setup` fetched.
set(ONNXRUNTIME_ROOT "$ENV{ONNXRUNTIME_ROOT}" CACHE PATH "Folder with include/ and lib/ of ONNX Runtime")
find_path(ONNXRUNTIME_INCLUDE onnxruntime_cxx_api.h NO_CMAKE_FIND_ROOT_PATH
  HINTS ${ONNXRUNTIME_ROOT}/include ${ONNXRUNTIME_ROOT}/include/onnxruntime
        ${CMAKE_SOURCE_DIR}/.deps/onnxruntime-headers/usr/include/onnxruntime /usr/include/onnxruntime REQUIRED)
find_library(ONNXRUNTIME_LIBRARY onnxruntime NO_CMAKE_FIND_ROOT_PATH HINTS ${ONNXRUNTIME_ROOT}/lib ${SIGHTLINE_DEPS}/onnxruntime/lib REQUIRED)
add_library(onnxruntime SHARED IMPORTED)
set_target_properties(onnxruntime PROPERTIES IMPORTED_LOCATION ${ONNXRUNTIME_LIBRARY})
target_include_directories(onnxruntime SYSTEM INTERFACE ${ONNXRUNTIME_INCLUDE})

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES IMPORTED_LOCATION ${SIGHTLINE_DEPS}/duckdb/lib/libduckdb.so IMPORTED_NO_SONAME ON)
target_include_directories(duckdb SYSTEM INTERFACE ${SIGHTLINE_DEPS}/duckdb/include)
set_target_properties(duckdb PROPERTIES IMPORTED_NO_SONAME OFF)

# DCMTK and the ONNX graph reader come without usable CMake or pkg-config files in Debian.
add_library(dcmtk INTERFACE)
target_link_libraries(dcmtk INTERFACE dcmimage dcmjpeg dcmjpls dcmimgle dcmdata oflog ofstd ijg8 ijg12 ijg16 dcmtkcharls i2d)
add_library(onnx_graph INTERFACE)
target_compile_definitions(onnx_graph INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
target_link_libraries(onnx_graph INTERFACE onnx onnx_proto PkgConfig::protobuf)
