#!/bin/sh
# Puts the tools that the lock files brought under the names by which others look for them:
#   .solcx/solc-v<version>   the compiler for solcx, Ape and forge (SOLCX_BINARY_PATH names the folder)
#   .venv/bin/anvil, forge   Foundry's native executables; npm's own launchers swallow exit codes
# and makes this virtual environment's Python find both without any variable set in the shell.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd -P)

case "$(uname -s)" in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) echo "tools/link.sh: no Foundry package for $(uname -s)" >&2; exit 1 ;;
esac
case "$(uname -m)" in
    x86_64 | amd64) cpu=amd64 ;;
    arm64 | aarch64) cpu=arm64 ;;
    *) echo "tools/link.sh: no Foundry package for $(uname -m)" >&2; exit 1 ;;
esac

for tool in anvil forge; do
    binary="node_modules/@foundry-rs/$tool-$os-$cpu/bin/$tool"
    if [ ! -f "$binary" ]; then
        echo "tools/link.sh: $binary is missing: npm did not install this platform's package" >&2
        exit 1
    fi
    chmod +x "$binary"
    ln -sf "$root/$binary" ".venv/bin/$tool"
done

# Anvil writes every old state under the user's home and leaves it there when it ends: gigabytes for a run of the tests. Nothing
# here asks for states of the past, so that whoever starts it through this launcher, Ape first of all, has none written.
rm -f .venv/bin/anvil
cat > .venv/bin/anvil <<SH
#!/bin/sh
case " \$* " in
    *" --prune-history "* | *" --max-persisted-states "*) ;;
    *) set -- --max-persisted-states 0 "\$@" ;;
esac
exec "$root/node_modules/@foundry-rs/anvil-$os-$cpu/bin/anvil" "\$@"
SH
chmod +x .venv/bin/anvil

# solcx and Ape ask for the version a dozen times a run, so the launcher answers it without starting Node. Deeply nested code
# needs more stack (in KB) than Node gives by default; a process has 8 MB.
version=$(node tools/solc.mjs --version)
number=$(node -p 'require("solc/package.json").version')
mkdir -p .solcx
launcher=".solcx/solc-v$number"
cat > "$launcher.new" <<SH
#!/bin/sh
if [ "\${1:-}" = "--version" ]; then
    echo "$version"
    exit 0
fi
exec node --stack-size=4000 "$root/tools/solc.mjs" "\$@"
SH
chmod +x "$launcher.new"
mv "$launcher.new" "$launcher"

# A .pth line runs when Python starts. So \`.venv/bin/ape\`, pytest and scripts work from any shell; what the caller set wins.
packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cat > "$packages/project-toolchain.pth" <<PTH
import os; os.environ.setdefault("SOLCX_BINARY_PATH", "$root/.solcx"); os.environ["PATH"] = os.pathsep.join(["$root/.venv/bin", os.environ.get("PATH", os.defpath)]) if "$root/.venv/bin" not in os.environ.get("PATH", "").split(os.pathsep) else os.environ["PATH"]
PTH
