# Debian's CMake files for Abseil and yaml-cpp know shared libraries only, so both come as archives here: the programs start
# faster, and a release has to be static anyway. Each vc_* target is a SYSTEM interface: no warnings from foreign headers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS json)
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL 3.0 REQUIRED)

function(vc_archive name archive)
  find_library(VC_${name}_ARCHIVE NAMES ${archive} REQUIRED)
  add_library(vc_${name} INTERFACE)
  target_link_libraries(vc_${name} INTERFACE ${VC_${name}_ARCHIVE})
endfunction()

vc_archive(yaml libyaml-cpp.a)
vc_archive(nghttp2 libnghttp2.a)
target_compile_definitions(vc_nghttp2 INTERFACE NGHTTP2_STATICLIB)

pkg_check_modules(VC_ABSL REQUIRED absl_status absl_statusor absl_str_format absl_strings)
add_library(vc_absl INTERFACE)
set(vc_absl_archives "")
foreach(lib IN LISTS VC_ABSL_STATIC_LIBRARIES)
  if(lib MATCHES "^absl_")
    find_library(VC_${lib}_ARCHIVE NAMES lib${lib}.a REQUIRED)
    list(APPEND vc_absl_archives ${VC_${lib}_ARCHIVE})
  endif()
endforeach()
# Abseil's archives refer to each other in both directions.
target_link_libraries(vc_absl INTERFACE -Wl,--start-group ${vc_absl_archives} -Wl,--end-group Threads::Threads)
