// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * A simulated I2C bus with one chip that is only written to, as a character display is. i2c-stub has none such: it takes
 * SMBus commands only.
 *
 * What was written stands in debugfs (i2c-display/written). The parameter `present` unplugs the chip: nobody answers then.
 * A byte takes as long as on a bus of 100 kHz.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/i2c.h>
#include <linux/module.h>

static ushort address = 0x27;
module_param(address, ushort, 0444);
static bool present = true;
module_param(present, bool, 0644);

static u8 bytes[65536];
static struct debugfs_blob_wrapper written = { .data = bytes };
static struct dentry *folder;

/* The kernel calls this for one transfer at a time. */
static int transfer(struct i2c_adapter *bus, struct i2c_msg *messages, int count)
{
	int at;

	for (at = 0; at < count; at++) {
		const struct i2c_msg *message = &messages[at];

		if (message->addr != address || !present)
			return -ENXIO;
		if (message->flags & I2C_M_RD || message->len > sizeof(bytes) - written.size)
			return -EIO;
		usleep_range(90 * (message->len + 1), 100 * (message->len + 1));
		memcpy(bytes + written.size, message->buf, message->len);
		written.size += message->len;
	}
	return count;
}

static u32 functions(struct i2c_adapter *bus)
{
	return I2C_FUNC_I2C;
}

static const struct i2c_algorithm algorithm = {
	.master_xfer = transfer,
	.functionality = functions,
};

static struct i2c_adapter adapter = {
	.owner = THIS_MODULE,
	.algo = &algorithm,
	.name = "simulated display",
};

static int __init begin(void)
{
	int error = i2c_add_adapter(&adapter);

	if (error)
		return error;
	folder = debugfs_create_dir("i2c-display", NULL);
	debugfs_create_blob("written", 0400, folder, &written);
	return 0;
}

static void __exit end(void)
{
	debugfs_remove_recursive(folder);
	i2c_del_adapter(&adapter);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("A simulated character display on a bus of its own");
MODULE_LICENSE("Dual MIT/GPL");
