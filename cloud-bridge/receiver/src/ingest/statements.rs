//! All statements, prepared once for a connection.

use tokio_postgres::{Client, Error, Statement};

use super::{heads, judge, quarantine, reread, store, write};
use crate::model::{AdjustmentRow, ItemRow, LossRow, PaymentRow, RecordRow, RefusalRow, Row, SaleRow};

macro_rules! statements {
    ($($name:ident: $sql:expr,)*) => {
        /// A connection's prepared statements.
        #[derive(Debug, Clone)]
        pub(super) struct Statements { $(pub(super) $name: Statement,)* }

        impl Statements {
            pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
                // The plans do not depend on the values, and planning for partitions again and again costs more than running.
                client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
                Ok(Self { $($name: client.prepare(AsRef::<str>::as_ref(&$sql)).await?,)* })
            }
        }
    };
}

statements! {
    find_store: store::FIND,
    make_store: store::MAKE,
    heads: heads::OF_STORE,
    put_head: heads::PUT,
    record_hash: judge::RECORD,
    hashes: judge::HASHES,
    count_fork: quarantine::COUNT_FORK,
    quarantined_again: quarantine::AGAIN,
    quarantine: quarantine::KEEP,
    copy_records: copy_into::<RecordRow<'_>>(),
    copy_sales: copy_into::<SaleRow<'_>>(),
    copy_items: copy_into::<ItemRow<'_>>(),
    copy_payments: copy_into::<PaymentRow<'_>>(),
    copy_adjustments: copy_into::<AdjustmentRow<'_>>(),
    copy_losses: copy_into::<LossRow<'_>>(),
    copy_refusals: copy_into::<RefusalRow<'_>>(),
    sales_here: write::SALES_HERE,
    goods_moved: write::GOODS_MOVED,
    forget_sales: write::FORGET_SALES,
    forget_items: write::FORGET_ITEMS,
    forget_payments: write::FORGET_PAYMENTS,
    adjustments_here: write::ADJUSTMENTS_HERE,
    configure: write::CONFIGURE,
    put_products: write::PUT_PRODUCTS,
    put_customers: write::PUT_CUSTOMERS,
    move_stock: write::MOVE_STOCK,
    move_points: write::MOVE_POINTS,
    not_understood: write::NOT_UNDERSTOOD,
    unread: reread::UNREAD,
    series: reread::SERIES,
    read: reread::READ,
}

fn copy_into<R: Row>() -> String {
    let columns: Vec<&str> = R::COLUMNS.iter().map(|(name, _)| *name).collect();
    format!("COPY {} ({}) FROM STDIN (FORMAT binary)", R::TABLE, columns.join(", "))
}
