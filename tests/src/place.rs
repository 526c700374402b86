//! A folder with a configuration and a data directory, and the commands that are run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::setup::Setup;

/// The repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

/// The program under test: `TILLBOX_DAEMON`, else what the workspace's build made beside this test.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn program() -> PathBuf {
    let named = std::env::var_os("TILLBOX_DAEMON").map(PathBuf::from);
    let program = named.unwrap_or_else(|| {
        // This test is target/debug/deps/system-…
        let test = std::env::current_exe().expect("this test is a file");
        let built = test.parent().and_then(Path::parent).expect("it lies in the target folder");
        built.join("edge-daemon")
    });
    assert!(program.is_file(), "{} is not there: run `cargo build -p edge-daemon` first", program.display());
    program
}

/// Says that a test did not run, and why.
pub fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
}

/// A store's place on disk. Its files go with it.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    data: PathBuf,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Place {
    /// A new one; the data is on the disk of temporary files.
    ///
    /// # Panics
    /// If there is no room for it.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Self::with(folder, data, setup)
    }

    /// One whose data lies elsewhere, such as on a disk of its own.
    ///
    /// # Panics
    /// If there is no room for the configuration.
    #[must_use]
    pub fn on(data: PathBuf, setup: &Setup) -> Self {
        Self::with(tempfile::tempdir().unwrap(), data, setup)
    }

    fn with(folder: TempDir, data: PathBuf, setup: &Setup) -> Self {
        fs::write(folder.path().join("tillbox.toml"), setup.text(&data)).unwrap();
        Self { folder, data }
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A path beside the data directory.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.beside("tillbox.toml")
    }

    /// All that daemons here have logged.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.beside("log")
    }

    /// Starts the daemon and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready; its log is in the message.
    #[must_use]
    pub fn start(&self) -> Daemon {
        Daemon::start(self)
    }

    /// Runs another command of the program on this place.
    ///
    /// # Panics
    /// If the program cannot be started.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(program());
        let output = command.args(arguments).arg("--config").arg(self.config()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Runs one that must work, and gives what it printed.
    ///
    /// # Panics
    /// If it does not work.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert!(said.code == 0, "{arguments:?} ended with {}: {}{}", said.code, said.out, said.err);
        said.out
    }

    /// The journal must be whole.
    ///
    /// # Panics
    /// If it is not.
    pub fn verify(&self) -> String {
        self.succeed(&["journal", "verify"])
    }

    /// Imports a catalogue: through the daemon if it runs, else directly.
    ///
    /// # Panics
    /// If the import fails.
    pub fn import(&self, catalogue: &Path) -> String {
        let file = catalogue.to_str().expect("temporary paths are text");
        self.succeed(&["catalog", "import", file])
    }

    /// Imports `count` products `sku-0`, `sku-1`, … of 1.00, 1.01, … with standard tax.
    ///
    /// # Panics
    /// If the import fails.
    pub fn stock_up(&self, count: usize) {
        let mut text = String::from("sku,barcode,name,price_minor,tax_class,department\n");
        for number in 0..count {
            text += &format!("sku-{number},code-{number},Thing {number},{},standard,things\n", 100 + number);
        }
        let file = self.beside("stock.csv");
        fs::write(&file, text).unwrap();
        let said = self.import(&file);
        assert!(said.contains(&format!("{count} products imported")), "{said}");
    }
}
