#!/bin/sh
# Runs a command as on a machine that has neither apt-get nor any of the servers of the tests: in a mount namespace of its own, where their
# files are not to be seen. $1 is an empty folder to work in, the rest the command.
set -eu
folder=$1
shift
mkdir "$folder/bin" "$folder/view" "$folder/nothing"
mount --bind /usr/bin "$folder/bin"
for program in "$folder"/bin/*; do
  case ${program##*/} in
    apt-get | redis-server | epmd | swift-* | mariadb* | mysql*) ;;
    *) ln -s "$program" "$folder/view/" ;;
  esac
done
mount --bind "$folder/view" /usr/bin
for servers in /usr/lib/postgresql /usr/lib/rabbitmq; do
  [ ! -d "$servers" ] || mount --bind "$folder/nothing" "$servers"
done
exec "$@"
