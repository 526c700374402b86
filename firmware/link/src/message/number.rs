//! Numbers that have names. One that is not known is kept as it came: a newer controller's new alarm is an alarm all the same.

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$of])* $variant,)+
            /// One that this version does not know.
            Other(u8),
        }

        impl From<u8> for $name {
            fn from(number: u8) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    other => Self::Other(other),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(named: $name) -> Self {
                match named {
                    $($name::$variant => $number,)+
                    $name::Other(other) => other,
                }
            }
        }
    )+};
}

numbers! {
    /// What a controller is.
    Kind {
        /// It reads bar codes.
        Scanner = 1,
        /// It opens and watches a drawer.
        Drawer = 2,
    }

    /// Why a drawer opened.
    Cause {
        /// It was told to.
        Command = 1,
        /// By hand or by force.
        NoCommand = 2,
        /// With its key.
        KeyLock = 3,
        /// It was open when the controller booted, or was configured.
        FoundOpen = 4,
    }

    /// What somebody should look at.
    Alarm {
        /// The drawer opened and nobody had told it to.
        OpenedWithoutCommand = 1,
        /// The case was opened.
        Tamper = 2,
        /// The key was turned.
        KeyLock = 3,
        /// The drawer is open for longer than is configured.
        OpenTooLong = 4,
        /// The supply is too low to drive a solenoid.
        Undervoltage = 5,
    }

    /// What came of a request to open.
    Outcome {
        /// The switch says that it opened.
        Opened = 1,
        /// It was open; there was no pulse.
        WasOpen = 2,
        /// The MAC is not that of the challenge.
        NotAuthentic = 3,
        /// There is no such challenge, or it was used, or is too old.
        StaleChallenge = 4,
        /// The solenoid must rest.
        TooOften = 5,
        /// There was a pulse, and the switch says that it stayed closed.
        DidNotOpen = 6,
        /// The supply is too low; there was no pulse.
        Undervoltage = 7,
    }

    /// How grave a line of the log is.
    Level {
        /// Something does not work.
        Error = 1,
        /// Something may soon not work.
        Warning = 2,
        /// Something happened.
        Info = 3,
        /// For who writes firmware.
        Debug = 4,
    }

    /// Why the daemon did not take a scan: the scanner gives no good-read beep.
    ScanRefusal {
        /// No such article.
        UnknownArticle = 1,
        /// Nobody claimed the scanner.
        NotNow = 2,
        /// It is no valid code.
        Unreadable = 3,
    }

    /// Why a controller does not take an update.
    UpdateRefusal {
        /// The image is longer than a slot.
        NoRoom = 1,
        /// Its version is not above the one that runs.
        NotNewer = 2,
        /// Its signature is not by a known key.
        BadSignature = 3,
        /// A chunk does not begin where the one before ended.
        BadOffset = 4,
        /// The flash could not be written.
        FlashFailed = 5,
        /// A chunk or an end came, and no begin.
        NoneBegun = 6,
        /// It is for another board, or for another kind of controller.
        WrongBoard = 7,
        /// It is no image, not the one that was announced, or not whole.
        Damaged = 8,
        /// It was started several times and never came to say that all is well; the one before runs again.
        DidNotStart = 9,
        /// What runs is on trial itself.
        OnTrial = 10,
    }
}
