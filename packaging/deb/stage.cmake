# Run by CPack between `cmake --install` and the making of the archive: what Debian's policy wants of files, and what
# makes the same sources the same package, byte for byte.
set(STAGE ${CPACK_TEMPORARY_DIRECTORY})
set(DOC ${STAGE}/usr/share/doc/adit)
set(PACKAGING ${CPACK_ADIT_SOURCES}/packaging/deb)

# Times are that of the last commit, unless somebody says which.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${CPACK_ADIT_SOURCES} log -1 --format=%ct
                  OUTPUT_VARIABLE time OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT time)  # no checkout
    file(TIMESTAMP ${CPACK_ADIT_SOURCES}/CHANGELOG.md time %s UTC)
  endif()
  set(ENV{SOURCE_DATE_EPOCH} ${time})
endif()

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(MAKE_DIRECTORY ${DOC} ${STAGE}/etc/adit)
file(COPY ${PACKAGING}/copyright DESTINATION ${DOC})
foreach(package libcli11-dev libtomlplusplus-dev nlohmann-json3-dev)
  if(EXISTS /usr/share/doc/${package}/copyright)
    configure_file(/usr/share/doc/${package}/copyright ${DOC}/copyright.${package} COPYONLY)
  endif()
endforeach()
configure_file(${CPACK_ADIT_SOURCES}/CHANGELOG.md ${DOC}/changelog COPYONLY)
string(TIMESTAMP DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${PACKAGING}/changelog.in ${DOC}/changelog.Debian @ONLY)
# Where Debian's zsh looks.
file(RENAME ${STAGE}/usr/share/zsh/site-functions ${STAGE}/usr/share/zsh/vendor-completions)
configure_file(${PACKAGING}/lintian-overrides ${STAGE}/usr/share/lintian/overrides/adit COPYONLY)
file(CREATE_LINK ../../examples/adit ${DOC}/examples SYMBOLIC)

file(GLOB compressed ${DOC}/changelog ${DOC}/changelog.Debian ${STAGE}/usr/share/man/man*/*)
run(gzip -9n ${compressed})
run(chmod -R u=rwX,go=rX ${STAGE}/usr ${STAGE}/etc)
run(find ${STAGE} -exec touch --no-dereference --date=@$ENV{SOURCE_DATE_EPOCH} {} +)
