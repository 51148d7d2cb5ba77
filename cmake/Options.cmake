# vc_options: the flags of our own targets. They are PRIVATE everywhere, so they never reach who embeds the library.
add_library(vc_options INTERFACE)
target_compile_options(vc_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
                                            -ffunction-sections -fdata-sections)
target_link_options(vc_options INTERFACE -Wl,--gc-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees both in coroutine frames and optional members where there is nothing; clang watches for the real ones.
  target_compile_options(vc_options INTERFACE -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
endif()
if(VAULTCORE_WERROR)
  target_compile_options(vc_options INTERFACE -Werror)
endif()
if(VAULTCORE_SANITIZE)
  target_compile_options(vc_options INTERFACE -fsanitize=${VAULTCORE_SANITIZE} -fno-sanitize-recover=all
                                              -fno-omit-frame-pointer)
  target_link_options(vc_options INTERFACE -fsanitize=${VAULTCORE_SANITIZE})
  # Recycled coroutine frames would hide a use after free from the sanitizer.
  target_compile_definitions(vc_options INTERFACE BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
endif()

# vc_program: how a program for users is linked. A static one starts in a millisecond and runs in an empty image.
add_library(vc_program INTERFACE)
target_link_libraries(vc_program INTERFACE vc_options)
if(VAULTCORE_STATIC)
  target_link_options(vc_program INTERFACE -static -s)
endif()
