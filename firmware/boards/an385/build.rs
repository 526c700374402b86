//! Gives each program the layout of its memory: the boot loader its own, and what it starts that of an image. The RP2040's is this one, too.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    for source in fs::read_dir("src/bin")? {
        let source = source?.path();
        let program = source.file_stem().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidData)?;
        let layout = if program == "boot" { "boot.x" } else { "image.x" };
        if program == "boot" && env::var_os("CARGO_FEATURE_BOOT").is_none() {
            continue;
        }
        let folder = out.join(program);
        fs::create_dir_all(&folder)?;
        fs::copy(layout, folder.join("memory.x"))?;
        println!("cargo::rustc-link-arg-bin={program}=-L{}", folder.display());
        println!("cargo::rustc-link-arg-bin={program}=-Tlink.x");
        println!("cargo::rerun-if-changed={layout}");
    }
    Ok(())
}
