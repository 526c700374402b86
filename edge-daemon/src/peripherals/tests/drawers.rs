//! Drawers on a virtual printer's connector.

use pos_domain::event::{DrawerOutcome, DrawerReason};
use pos_domain::money::Money;
use pos_domain::shift::MovementKind;

use super::*;

fn opening(event: &Event) -> Option<(DrawerOutcome, String)> {
    match event {
        Event::DrawerEnded { outcome, detail, .. } => Some((*outcome, detail.clone())),
        _ => None,
    }
}

fn reason(event: &Event) -> Option<DrawerReason> {
    match event {
        Event::DrawerAsked(job) => Some(job.reason.clone()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cash_sale_opens_the_drawer_for_its_reason_even_without_paper() {
    let mut counter = counter().await;
    counter.drawer(None);
    counter.printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let running = counter.start();
    let sale = counter.sell(|_| {});
    assert_eq!(counter.event(reason).await, DrawerReason::Sale(sale));
    assert_eq!(counter.event(opening).await, (DrawerOutcome::Opened, String::new()));
    assert!(counter.printer.drawer_open() && counter.paper().is_empty());
    counter.printer.set_faults(Faults::default());
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.printer.drawer_kicks(), 1, "the receipt does not open it once more");
    assert!(counter.shop.state().opening.is_empty());
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_moves_without_a_sale_opens_the_drawer_too() {
    let mut counter = counter().await;
    counter.drawer(Some("till-1"));
    let running = counter.start();
    let shift = Uuid::now_v7();
    counter.submit(Command::OpenShift {
        id: shift,
        drawer: "till-1".into(),
        cashier: None,
        float: Money(100),
    });
    let id = Uuid::now_v7();
    let (kind, amount) = (MovementKind::NoSale, Money::ZERO);
    counter.submit(Command::MoveCash { shift, id, kind, amount, reason: None });
    assert_eq!(counter.event(reason).await, DrawerReason::Movement(id));
    assert_eq!(counter.event(opening).await.0, DrawerOutcome::Opened);
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_that_is_opened_by_its_key_is_an_alarm_and_one_that_stays_shut_is_said_to() {
    let mut counter = counter().await;
    counter.drawer(None);
    let running = counter.start();
    let shut = |condition: &Condition| condition.of_class == OfClass::Drawer { open: Some(false) };
    counter.wait(&running, "drawer", shut).await;
    counter.printer.move_drawer(true);
    let alarm = |event: &Event| match event {
        Event::DrawerAlarm { drawer } => Some(drawer.clone()),
        _ => None,
    };
    assert_eq!(counter.event(alarm).await, "drawer");

    counter.printer.move_drawer(false);
    counter.printer.set_faults(Faults { drawer_locked: true, ..Faults::default() });
    counter.sell(|_| {});
    let (outcome, detail) = counter.event(opening).await;
    assert_eq!(outcome, DrawerOutcome::NotOpened);
    assert!(detail.contains("stayed shut"), "{detail}");
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_a_stop_left_open_is_unknown_at_the_next_start() {
    let mut counter = counter().await;
    counter.drawer(None);
    let open = |drawer: &str| Command::OpenDrawer {
        id: Uuid::now_v7(),
        drawer: drawer.into(),
        terminal: None,
        reason: DrawerReason::Asked("change".into()),
    };
    counter.submit(open("drawer"));
    let running = counter.start();
    assert_eq!(counter.event(opening).await.0, DrawerOutcome::Unknown);
    assert_eq!(counter.printer.drawer_kicks(), 0, "nobody stands there any more");
    counter.submit(open("none"));
    let (outcome, detail) = counter.event(opening).await;
    assert_eq!((outcome, detail.as_str()), (DrawerOutcome::NotOpened, "there is no drawer called none"));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_on_pins_that_are_not_there_is_said_to_stay_shut() {
    let mut counter = counter().await;
    let port = DrawerPort::Pins { chip: "/dev/no-such-gpiochip".into(), line: 17, sense_line: Some(27) };
    let model = Model::Drawer(DrawerConfig { open_when_high: Some(true), ..DrawerConfig::at(port) });
    counter.devices.push(DeviceConfig { id: "drawer".into(), terminal: None, model });
    let running = counter.start();
    counter.wait(&running, "drawer", |condition| !condition.detail.is_empty()).await;
    counter.sell(|_| {});
    let (outcome, detail) = counter.event(opening).await;
    assert_eq!(outcome, DrawerOutcome::NotOpened);
    assert!(detail.contains("no-such-gpiochip"), "{detail}");
    counter.end(running).await;
}
