//! Gives each program the layout of its memory: the boot loader is in the first RAM, what it starts in the second.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let programs = [("boot", "boot.x"), ("drawer", "image.x"), ("scanner", "image.x"), ("hangs", "image.x")];
    for (program, layout) in programs {
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
