# SPDX-License-Identifier: MIT
#
# Writes OUT, a C file with one array for each file named in LIST (a line each), all of them below ROOT.

cmake_policy(VERSION 3.22)

function(media_type path result)
  get_filename_component(extension "${path}" LAST_EXT)
  string(TOLOWER "${extension}" extension)
  set(types
    .html "text/html@ charset=utf-8" .css "text/css@ charset=utf-8" .js "text/javascript@ charset=utf-8"
    .mjs "text/javascript@ charset=utf-8" .json "application/json" .webmanifest "application/manifest+json"
    .txt "text/plain@ charset=utf-8" .svg "image/svg+xml" .png "image/png" .jpg "image/jpeg" .webp "image/webp"
    .ico "image/vnd.microsoft.icon" .woff2 "font/woff2" .wasm "application/wasm")
  list(FIND types "${extension}" at)
  if(at LESS 0)
    message(FATAL_ERROR "${path}: cmake/EmbedWww.cmake knows no media type for this extension")
  endif()
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  string(REPLACE "@" ";" type "${type}")
  set(${result} "${type}" PARENT_SCOPE)
endfunction()

file(STRINGS "${LIST}" files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
  file(RELATIVE_PATH path "${ROOT}" "${file}")
  media_type("${path}" type)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "  \\1\n"
         bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}0x00};\n\n")
  string(APPEND rows "  {\"/${path}\", \"${type}\", file_${count}, sizeof file_${count} - 1},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE "${OUT}" "/* Written by the build from tools/webtransport/www/; not to be edited. */\n\n#include \"www.h\"\n\n"
  "${arrays}"
  "const struct www_file www_files[] = {\n${rows}  {NULL, NULL, NULL, 0},\n};\n\nconst size_t www_file_count = ${count};\n")
