# The first process of a host's own namespaces: lays the folders of a small host over this machine's, where only the
# host's processes see them, then lives until its standard input is closed. With it the kernel ends every process
# inside, and every mount.
#
#     unshare --mount --pid --fork --kill-child sh host.sh FOLDER PATH...    each PATH lies in FOLDER and covers /PATH

set -e
folder=$1
shift

# Before /proc becomes our own, it still tells our pid as the outside numbers us.
read -r pid _ < /proc/self/stat

scratch=$folder/.mount
mkdir "$scratch"

# A target that this machine lacks: a copy of its parent is laid over the parent, in which one can be made.
open_up() {
    mount --rbind "$1" "$scratch"
    mount -t tmpfs -o mode=755 tmpfs "$1"
    for entry in "$scratch"/* "$scratch"/.[!.]*; do
        name=${entry##*/}
        if [ -L "$entry" ]; then
            cp -P "$entry" "$1/$name"
        elif [ -d "$entry" ]; then
            mkdir "$1/$name"
            mount --rbind "$entry" "$1/$name"
        elif [ -e "$entry" ]; then
            : > "$1/$name"
            mount --bind "$entry" "$1/$name"
        fi
    done
    umount -l "$scratch"
}

cover() {
    if [ ! -e "$2" ]; then
        parent=${2%/*}
        [ -d "${parent:-/}" ] || { echo "refused: this machine has no ${parent:-/}"; exit 1; }
        open_up "${parent:-/}"
        if [ -d "$1" ]; then mkdir "$2"; else : > "$2"; fi
    fi
    mount --bind "$1" "$2"
}

# The machine's own timetables must never run in here.
for path in etc/cron.d var/spool/cron/crontabs; do
    [ -e "$folder/$path" ] || [ ! -d "/$path" ] || mount -t tmpfs tmpfs "/$path"
done
[ -e "$folder/etc/crontab" ] || [ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab

# The folder itself may lie below a path that gets covered: hold on to it.
for path in "$@"; do
    cover "$folder/$path" "/$path"
done

# A /dev of its own: shared memory that goes with the host, and a place for the log socket.
mount -t tmpfs -o mode=755 tmpfs "$scratch"
for node in null zero full random urandom tty; do
    : > "$scratch/$node"
    mount --bind "/dev/$node" "$scratch/$node"
done
mkdir -m 1777 "$scratch/shm"
ln -s /proc/self/fd "$scratch/fd"
ln -s fd/0 "$scratch/stdin"
ln -s fd/1 "$scratch/stdout"
ln -s fd/2 "$scratch/stderr"
ln -s /run/log.socket "$scratch/log"
mount --move "$scratch" /dev
rmdir "$scratch"

mount -t proc proc /proc
echo "ready $pid"

# A shell that waits for a child also buries the orphans that become its own.
cat > /dev/null
