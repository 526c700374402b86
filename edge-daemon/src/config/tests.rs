//! Precedence, hints and validation.

use device_drivers::Route;

use super::*;

const SHOP: &str = r#"[store]
tenant = "acme"
store = "berlin-1"
name = "Tante Emma"
currency = "EUR"
time_zone = "Europe/Berlin"

[tax]
standard = "19.00"
reduced = "7"
"#;

fn read(text: &str, environment: &[(&str, &str)], flags: &Flags) -> Result<Config, ConfigError> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(Some(("shop.toml", text)), environment, flags)
}

fn problems(text: &str, environment: &[(&str, &str)]) -> String {
    read(text, environment, &Flags::default()).unwrap_err().to_string()
}

fn with(section: &str) -> String {
    format!("{SHOP}\n{section}\n")
}

#[test]
fn a_small_file_is_enough_and_the_rest_has_defaults() {
    let config = read(SHOP, &[], &Flags::default()).unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8480");
    assert_eq!(config.data.dir, PathBuf::from("/var/lib/tillbox"));
    assert_eq!(config.data.segment_bytes, 64 << 20);
    assert_eq!((config.store.cut_off_minutes, config.store.cash_increment), (240, 1));
    assert_eq!(config.store.rate("reduced"), Some(pos_domain::tax::Rate(7_000)));
    assert!(config.devices.is_empty() && config.store.loyalty.is_none());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = with("[http]\nlisten = \"127.0.0.1:1\"\nmax_connections = 7\n[data]\ndir = \"below\"");
    let environment =
        [("TILLBOX_HTTP_LISTEN", "127.0.0.1:2"), ("TILLBOX_DATA_CACHE_MIB", "64"), ("PATH", "/bin")];
    let config = read(&file, &environment, &Flags::default()).unwrap();
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!((config.http.max_connections, config.data.cache_bytes), (7, 64 << 20));
    let flags = Flags { listen: Some("127.0.0.1:3".into()), data: Some("/elsewhere".into()) };
    let config = read(&file, &environment, &flags).unwrap();
    assert_eq!((config.http.listen.port(), config.data.dir.to_str()), (3, Some("/elsewhere")));
    let shown = config.effective().to_string();
    for expected in [
        "listen = \"127.0.0.1:3\"                       # flag --listen",
        "max_connections = 7                          # shop.toml:14",
        "cache_mib = 64                               # environment TILLBOX_DATA_CACHE_MIB",
        "segment_mib = 64                             # default",
    ] {
        assert!(shown.contains(expected), "{expected}\nis not in\n{shown}");
    }
    assert_eq!(read(&shown, &[], &Flags::default()).unwrap().store, config.store);
}

#[test]
fn a_folder_is_relative_to_the_file_that_names_it() {
    let environment = std::iter::empty;
    let text = with("[data]\ndir = \"below\"");
    let config = Config::read(Some(("/etc/shop/a.toml", &text)), environment(), &Flags::default()).unwrap();
    assert_eq!(config.data.dir, PathBuf::from("/etc/shop/below"));
    let flags = Flags { data: Some("here".into()), listen: None };
    let config = Config::read(Some(("/etc/shop/a.toml", &text)), environment(), &flags).unwrap();
    assert_eq!(config.data.dir, PathBuf::from("here"));
}

#[test]
fn a_command_never_acts_on_another_store_than_the_one_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    let none = Vec::<(String, String)>::new;
    let found = |file: &Path, flags: &Flags| find_data_dir(file, none().into_iter(), flags);
    let of = |text: &str| {
        std::fs::write(&file, text).unwrap();
        found(&file, &Flags::default())
    };
    let missing = found(&file, &Flags::default()).unwrap_err();
    assert!(matches!(missing, ConfigError::Unreadable { .. }), "{missing}");
    assert_eq!(of("[data]\ndir = \"d\"\n").unwrap(), folder.path().join("d"));
    for (broken, expected) in [
        ("[data\ndir = \"d\"", "not TOML"),
        ("[dtaa]\ndir = \"d\"", "did you mean `[data]`?"),
        ("dir = \"d\"", "put it under `[data]`"),
        ("[data]\ndri = \"d\"", "did you mean `dir`?"),
        ("[data]\ndir = 7", "must be a text"),
        ("[data]\ndir = \"d\"\ncache_mib = 1", "1 is not within 8 to 1024"),
        ("data = \"d\"", "write `[data]`"),
    ] {
        let error = of(broken).unwrap_err().to_string();
        assert!(error.contains(expected), "{broken}: {error}");
        let flags = Flags { data: Some("there".into()), listen: None };
        assert_eq!(found(&file, &flags).unwrap(), PathBuf::from("there"));
    }
    // What is wrong elsewhere is no reason not to make a backup.
    assert_eq!(of("[store]\ncurrency = 7\n[data]\ndir = \"d\"\n").unwrap(), folder.path().join("d"));
    let environment = [("TILLBOX_DATA_DIR".to_owned(), "/e".to_owned())].into_iter();
    assert_eq!(find_data_dir(&file, environment, &Flags::default()).unwrap(), PathBuf::from("/e"));
    let environment = [("TILLBOX_DATA_DRI".to_owned(), "/e".to_owned())].into_iter();
    find_data_dir(&file, environment, &Flags::default()).unwrap_err();
    if !Path::new(DEFAULT_FILE).exists() {
        let default = found(Path::new(DEFAULT_FILE), &Flags::default()).unwrap();
        assert_eq!(default, PathBuf::from("/var/lib/tillbox"));
    }
}

#[test]
fn unknown_keys_are_errors_with_a_hint() {
    for (text, expected) in [
        (
            "[http]\nlisen = \"127.0.0.1:1\"",
            "shop.toml:13: unknown key `lisen` in [http]; did you mean `listen`?",
        ),
        (
            "[htpp]\nlisten = \"127.0.0.1:1\"",
            "shop.toml:12: unknown section `[htpp]`; did you mean `[http]`?",
        ),
        ("[log]\nlisten = \"x\"", "shop.toml:13: unknown key `listen` in [log]; it belongs in [http]"),
        ("[log]\ncolour = \"red\"", "shop.toml:13: unknown key `colour` in [log]; there are: level, format"),
        (
            "[[embedded]]\nprefx = 2",
            "shop.toml:13: unknown key `prefx` in [embedded]; did you mean `prefix`?",
        ),
    ] {
        let found = problems(&with(text), &[]);
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
    let outside = problems(&format!("dir = \"x\"\n{SHOP}"), &[]);
    assert!(
        outside.contains("shop.toml:1: `dir` stands outside its section; put it under `[data]`"),
        "{outside}"
    );
    let environment = problems(SHOP, &[("TILLBOX_HTTP_LISTN", "x"), ("TILLBOX_SEED", "7")]);
    assert_eq!(
        environment,
        "environment TILLBOX_HTTP_LISTN: unknown key `listn` in [http]; did you mean `listen`?"
    );
}

#[test]
fn only_loopback_is_listened_on_and_the_reason_is_given() {
    for open in ["0.0.0.0:8480", "192.168.1.9:80", "[::]:8480"] {
        let found = problems(SHOP, &[("TILLBOX_HTTP_LISTEN", open)]);
        assert!(found.contains("no authentication yet") && found.contains("SSH tunnel"), "{found}");
    }
    for good in ["127.0.0.1:0", "127.9.9.9:8480", "[::1]:8480", "localhost:8480"] {
        read(SHOP, &[("TILLBOX_HTTP_LISTEN", good)], &Flags::default()).unwrap();
    }
}

#[test]
fn every_wrong_value_says_where_what_and_what_is_allowed() {
    for (name, value, expected) in [
        ("TILLBOX_STORE_CURRENCY", "euro", "three capital letters"),
        ("TILLBOX_STORE_TIME_ZONE", "Europe/Berlni", "there is no time zone `Europe/Berlni`"),
        ("TILLBOX_STORE_CUT_OFF", "25:00", "\"25:00\" is no time of day"),
        ("TILLBOX_STORE_CUT_OFF", "4:0", "is no time of day"),
        ("TILLBOX_STORE_PRICES", "net", "write \"inclusive\" or \"exclusive\""),
        ("TILLBOX_STORE_CASH_INCREMENT", "0", "0 is not within 1 to 10000"),
        ("TILLBOX_STORE_CASH_INCREMENT", "five", "must be a whole number"),
        ("TILLBOX_STORE_REQUIRE_SHIFT", "yes", "must be true or false"),
        ("TILLBOX_STORE_TENANT", "A/B", "small letters, digits"),
        ("TILLBOX_STORE_ADDRESS", "Main street", "must be a list of texts"),
        ("TILLBOX_TAX_STANDARD", "20.0000", "must be a percentage in quotes"),
        ("TILLBOX_LOYALTY_EARN_PER", "0", "0 is not within 1 to"),
        ("TILLBOX_DATA_SEGMENT_MIB", "2048", "2048 is not within 1 to 1024"),
        ("TILLBOX_LOG_LEVEL", "loud", "is no level"),
        ("TILLBOX_LOG_LEVEL", "info,edge_daemon=", "is no level"),
        ("TILLBOX_LOG_FORMAT", "xml", "write \"text\" or \"json\""),
    ] {
        let found = problems(SHOP, &[(name, value)]);
        assert!(
            found.contains(&format!("environment {name}: ")) && found.contains(expected),
            "{name}: {found}"
        );
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems("[store]\ntenant = 7\n[tax]\nstandard = 20.0\n", &[]);
    for expected in
        ["shop.toml:2: `tenant` in [store]: must be a text", "`currency` is missing", "shop.toml:4: "]
    {
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
    assert!(found.lines().count() >= 6, "{found}");
    assert!(problems("[store\n", &[]).starts_with("shop.toml:1: not TOML: "));
}

#[test]
fn embedded_rules_are_those_of_the_domain() {
    let meat = "[[embedded]]\nprefix = 2\nitem_digits = 5\nvalue_digits = 5\nmeaning = \"price\"\n";
    let config = read(&with(meat), &[], &Flags::default()).unwrap();
    let code = pos_domain::barcode::Barcode::parse("0212345001257", &config.store.embedded).unwrap();
    assert!(matches!(code, pos_domain::barcode::Barcode::Embedded(found) if found.item == 12_345));
    let twice = problems(&with(&format!("{meat}{meat}")), &[]);
    assert!(twice.starts_with("shop.toml:18: `prefix` in [embedded]: "), "{twice}");
    let short = with("[[embedded]]\nprefix = 21\nitem_digits = 5\nvalue_digits = 4\nmeaning = \"weight\"\n");
    assert!(problems(&short, &[]).contains("`prefix` in [embedded]"));
}

fn devices(more: &str) -> Vec<DeviceConfig> {
    read(&with(more), &[], &Flags::default()).unwrap().devices
}

#[test]
fn a_printer_needs_a_port_and_little_else() {
    let printer = |more: &str| match devices(more).remove(0).model {
        Model::Printer(printer) => printer,
        other => panic!("{other:?}"),
    };
    let small = printer("[[printer]]\nport = \"tcp:10.0.0.7\"\npaper = \"58mm\"\n");
    assert_eq!((small.route.unwrap().to_string().as_str(), small.profile.columns), ("10.0.0.7:9100", 32));
    let usb = printer("[[printer]]\nport = \"usb:/dev/usb/lp0\"\nlanguage = \"lines\"\n");
    assert_eq!(usb.route, Some(Route::File("/dev/usb/lp0".into())));
    let serial = printer("[[printer]]\nport = \"serial:/dev/ttyS0\"\nline = \"19200 8N1\"\n");
    let Some(Route::Serial { line, .. }) = serial.route else { panic!() };
    assert_eq!((line.baud, line.xon_xoff), (19_200, false));
    assert_eq!(small.role, PrinterRole::Receipts { auto_print: true });
    let pages =
        "[[printer]]\nport = \"tcp:10.0.0.7\"\ncode_pages = [\"2:pc852\", \"0:pc437\"]\ndrawer_pin = 5\n";
    let profile = printer(pages).profile;
    assert_eq!(profile.pages.iter().map(|page| page.number).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(profile.drawer_pin, device_drivers::DrawerPin::Pin5);
    assert!(problems(&with("[[printer]]\n"), &[]).contains("`port` is missing in [printer]"));
}

#[test]
fn every_device_has_its_port_and_its_till() {
    let all = devices(
        "[[scanner]]\nid = \"s1\"\nport = \"serial:/dev/serial/by-id/a\"\nterminal = \"till-1\"\n\
         [[scanner]]\nid = \"s2\"\nport = \"virtual\"\nends = \"pause\"\n\
         [[scanner]]\nid = \"s3\"\nport = \"hid:/dev/input/by-id/b\"\nlayout = \"de\"\n\
         [[drawer]]\nid = \"pins\"\nport = \"gpio:/dev/gpiochip0:17:27\"\n\
         [[scale]]\nport = \"serial:/dev/ttyS1\"\nunit = \"lb\"\nplaces = 2\n\
         [[display]]\nport = \"serial:/dev/ttyS2\"\nline = \"19200 8N1 xon\"\n\
         [[display]]\nid = \"glass\"\nport = \"i2c:/dev/i2c-1:0x27\"\n\
         [[printer]]\nport = \"tcp:10.0.0.7\"\nrole = \"orders\"\ndepartments = [\"bar\"]\n\
         [[drawer]]\nopen_when = \"low\"\n",
    );
    let seen: Vec<_> = all.iter().map(|device| (device.class(), device.port())).collect();
    let expected = [
        ("POSPrinter", "tcp:10.0.0.7:9100"),
        ("CashDrawer", "gpio:/dev/gpiochip0:17:27"),
        ("CashDrawer", "printer:receipts"),
        ("Scanner", "serial:/dev/serial/by-id/a"),
        ("Scanner", "virtual"),
        ("Scanner", "hid:/dev/input/by-id/b"),
        ("Scale", "serial:/dev/ttyS1"),
        ("LineDisplay", "serial:/dev/ttyS2"),
        ("LineDisplay", "i2c:/dev/i2c-1:0x27"),
    ];
    assert_eq!(seen, expected.map(|(class, port)| (class, port.to_owned())));
    assert_eq!((all[3].terminal.as_deref(), all[4].is_virtual()), (Some("till-1"), true));
    let Model::Display(display) = &all[7].model else { panic!() };
    assert!(display.line.xon_xoff && display.line.baud == 19_200);
    let Model::Drawer(drawer) = &all[2].model else { panic!() };
    assert_eq!(drawer.open_when_high, Some(false));
}

#[test]
fn a_device_on_a_controller_names_the_controller_and_the_lines_stand_for_themselves() {
    let text = with(
        "[controllers]\nlines = [\"serial:/dev/ttyS0\", \"serial:/dev/ttyS1\"]\n\
         [[drawer]]\nport = \"controller:0123456789ABCDEF\"\nopen_too_long_s = 90\n\
         [[scanner]]\nport = \"controller:fedcba9876543210\"\nsymbologies = [\"ean13\", \"itf\"]\n",
    );
    let config = Config::read(Some(("shop.toml", &text)), std::iter::empty(), &Flags::default()).unwrap();
    assert_eq!(config.controllers, [PathBuf::from("/dev/ttyS0"), PathBuf::from("/dev/ttyS1")]);
    let seen: Vec<_> =
        config.devices.iter().map(|device| (device.port(), device.controller().unwrap().0[0])).collect();
    assert_eq!(
        seen,
        [("controller:0123456789abcdef".to_owned(), 0x01), ("controller:fedcba9876543210".to_owned(), 0xfe)]
    );
    let (Model::Drawer(drawer), Model::Scanner(scanner)) =
        (&config.devices[0].model, &config.devices[1].model)
    else {
        panic!()
    };
    assert_eq!((drawer.open_too_long_s, scanner.symbologies, scanner.double_read_ms), (90, 0b100_0001, 500));
}

#[test]
fn there_is_a_way_to_the_cloud_where_a_broker_is_named() {
    let read = |text: &str| {
        Config::read(Some(("/etc/shop/shop.toml", &with(text))), std::iter::empty(), &Flags::default())
    };
    assert_eq!(read("").unwrap().cloud, None);
    let cloud =
        read("[cloud]\nbroker = \"mqtt.example.com:8883\"\nkey = \"keys/box.key\"").unwrap().cloud.unwrap();
    assert_eq!(cloud.broker, ("mqtt.example.com".to_owned(), 8883));
    assert_eq!(cloud.key, PathBuf::from("/etc/shop/keys/box.key"), "beside the file that names it");
    assert_eq!(cloud.authority, PathBuf::from("/etc/tillbox/cloud/authority.pem"));
    assert_eq!((cloud.alarm_after.as_secs(), cloud.alarm_bytes), (240 * 60, 64 << 20));
    for broker in ["mqtt.example.com", "mqtt.example.com:0", ":8883", "mqtts://example.com:8883", "a b:1"] {
        let wrong = read(&format!("[cloud]\nbroker = \"{broker}\"")).unwrap_err().to_string();
        assert!(wrong.contains("is no broker; write its name and its port"), "{wrong}");
    }
}

#[test]
fn what_is_wrong_with_a_device_is_said_where_it_stands() {
    for (file, expected) in [
        ("[printer]\nport = \"tcp:10.0.0.7\"", "write `[[printer]]`: there may be several"),
        ("[[printer]]\nport = \"printer\"", "write \"tcp:\" and the printer's IP address"),
        ("[[printer]]\nport = \"virtual\"\nlogo = \"/no/such/logo.png\"", "`logo` in [printer]"),
        ("[[printer]]\nport = \"virtual\"\ndrawer_pin = 3", "pin 2 (the first) or 5"),
        ("[[printer]]\nport = \"virtual\"\ncode_pages = [\"19:latin\"]", "number:page"),
        ("[[scanner]]\nport = \"/dev/ttyS0\"", "write \"serial:\" and the device's stable name"),
        ("[[scanner]]\nport = \"virtual\"\nline = \"9600\"", "sets no line"),
        ("[[scanner]]\nport = \"virtual\"\nbaud = 9600", "unknown key `baud` in [scanner]"),
        ("[[display]]\nport = \"i2c:/dev/i2c-1:0x7f\"", "write a bus and an address"),
        ("[[drawer]]\nport = \"gpio:/dev/gpiochip0\"", "opens no drawer"),
        ("[[drawer]]\nport = \"controller:12\"", "16 digits on the controller's label"),
        ("[[scanner]]\nport = \"controller:0123456789abcdeg\"", "16 digits on the controller's label"),
        ("[[scanner]]\nport = \"virtual\"\nsymbologies = [\"qr\"]", "a controller reads ean13"),
        ("[controllers]\nlines = [\"/dev/ttyS0\"]", "is no line; write \"serial:\""),
        ("[controllers]\nlines = [\"serial:/dev/ttyS0\", \"serial:/dev/ttyS0\"]", "stands here twice"),
        ("[[drawer]]\nport = \"printer:none\"", "there is no printer called \"none\""),
        (
            "[[scanner]]\nid = \"a\"\nport = \"serial:/dev/a\"\n[[scale]]\nid = \"b\"\nport = \"serial:/dev/a\"",
            "another device is at \"serial:/dev/a\" already",
        ),
        (
            "[[scanner]]\nid = \"a\"\nport = \"virtual\"\n[[scale]]\nid = \"a\"\nport = \"virtual\"",
            "another device is called \"a\" already",
        ),
    ] {
        let found = problems(&with(file), &[]);
        assert!(found.contains(expected), "{file}: {found}");
    }
    let set = problems(SHOP, &[("TILLBOX_PRINTER_PORT", "tcp:10.0.0.7")]);
    assert!(set.contains("[[printer]] can be set in the file only"), "{set}");
}

#[test]
fn the_example_is_good_and_names_every_key() {
    let example = include_str!("../../config.example.toml");
    let config = Config::read(Some(("/srv/ada/shop.toml", example)), std::iter::empty(), &Flags::default());
    let config = config.unwrap();
    assert_eq!(config.store.name, "ACME Main Street");
    assert_eq!(config.data.dir, PathBuf::from("/srv/ada/data"), "who copies it may write there");
    for key in &keys::KEYS {
        let mentioned = example.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ']);
            line.starts_with(&format!("{} = ", key.name))
        });
        assert!(mentioned, "[{}] {} is not in the example", key.section, key.name);
    }
    // What is commented out is good, too.
    let shown: String = example.lines().map(|line| format!("{}\n", uncommented(line))).collect();
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo.pbm");
    std::fs::write(&logo, "P1\n8 1\n1 0 1 0 1 0 1 0\n").unwrap();
    let shown = shown.replace("/etc/tillbox/logo.pbm", logo.to_str().unwrap());
    let all = read(&shown, &[], &Flags::default()).unwrap();
    assert!(all.devices.len() == 5 && all.store.loyalty.is_some());
    let defaults = read(SHOP, &[], &Flags::default()).unwrap();
    assert_eq!((all.http, all.log), (defaults.http, defaults.log), "the example shows another default");
}

fn uncommented(line: &str) -> &str {
    let bare = line.trim_start_matches("# ");
    let is_key =
        bare.split_once(" = ").is_some_and(|(key, _)| keys::KEYS.iter().any(|known| known.name == key));
    if is_key || bare.starts_with('[') { bare } else { line }
}
