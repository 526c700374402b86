//! A short run of the real program leaves a whole report.

use std::process::Command;

#[test]
fn a_short_run_leaves_table_data_and_charts_and_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_tillbox-bench"))
        .args([
            "sales",
            "--short",
            "--seconds",
            "0.3",
            "--contestants",
            "raw,null,sqlite",
            "--connections",
            "1,4",
        ])
        .args(["--rounds", "2", "--out"])
        .arg(out.path())
        .env("TILLBOX_SEED", "7")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let mut files: Vec<_> =
        out.path().read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["latency.svg", "report.json", "report.md", "sales.svg"]);
    let text = std::fs::read_to_string(out.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["seed"], 7);
    let rows = report["sales"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2 + 2 * 2, "raw twice, two contestants at two levels");
    for row in rows {
        assert_eq!(row["turns"].as_array().unwrap().len(), 2);
        assert!(row["rate"]["median"].as_f64().unwrap() > 1.0, "{row}");
        assert!(row["p50"]["median"].as_f64() <= row["p99"]["median"].as_f64(), "{row}");
    }
}

#[test]
fn a_missing_daemon_is_named_and_ends_the_run() {
    let out = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_tillbox-bench"))
        .args(["sales", "--short", "--contestants", "daemon", "--daemon", "/nowhere/edge-daemon", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&run.stderr).contains("/nowhere/edge-daemon"));
    assert!(!out.path().join("report.md").exists());
}
